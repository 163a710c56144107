"""Probe: the golden prompt, which a version has to answer before it may answer anybody.

A plan for a person with a bad knee, at home with dumbbells, decoded under that person's grammar as every answer is.
It has to be in the wire form, to keep to what the person may do, and to come in time. How good it is, evaluation
has judged; the probe finds what goes wrong between there and here: other weights, another tokenizer or template, a
grammar that does not hold, a machine that is too slow.
"""

from datetime import date
from typing import Final, Protocol

from shared.coach.person_grammar import person_grammar
from shared.coach.plan import PlanAnswer
from shared.coach.profile import HealthIssue, UserProfile
from shared.coach.restrictions import restrictions_for
from shared.coach.wire import WireError, decode
from shared.errors import Rejected
from shared.prompt import render

MOST_TOKENS: Final = 1024
REQUEST: Final = "Please make me a plan."
GOLDEN: Final = UserProfile(
    user_id="golden",
    name="Golden",
    birth_date=date(1984, 3, 2),
    age=41,
    sex="female",
    height_cm=167,
    weight_kg=70,
    goals=("general_fitness",),
    activity_level="lightly_active",
    experience="beginner",
    days_per_week=2,
    session_minutes=30,
    equipment=("dumbbells",),
    injuries=(HealthIssue(id="knee_pain", severity="moderate"),),
    maintenance_kcal=2000,
    sleep_target_h=8,
    member_since=date(2024, 1, 1),
)


class Asked(Protocol):
    """What the probe asks."""

    def complete(self, body: dict[str, object], within_s: float) -> str:
        """Return an answer."""


def probe(engine: Asked, model: str, within_s: float) -> None:
    """Ask a model the golden prompt; raises Rejected saying what is wrong with its answer."""
    text = engine.complete(question(model), within_s)
    check(text)


def question(model: str) -> dict[str, object]:
    """Return the golden request; greedy, so that a version answers it in one way."""
    prompt = render("plan_creation", GOLDEN, REQUEST, None, None)
    return {
        "model": model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "max_tokens": MOST_TOKENS,
        "temperature": 0,
        "structured_outputs": {"grammar": person_grammar("plan_creation", GOLDEN, None)},
    }


def check(text: str) -> None:
    """Raise Rejected where an answer to the golden prompt is not one, or is not safe."""
    try:
        answer = decode(text, "plan_creation")
    except WireError as exc:
        raise Rejected(f"the golden prompt's answer is not in the wire form: {exc}") from exc
    if not isinstance(answer, PlanAnswer) or answer.plan is None:
        raise Rejected("the golden prompt's answer holds no plan")
    allowed = set(restrictions_for(GOLDEN).allowed_in_order)
    forbidden = {line.exercise for day in answer.plan.days for line in day.exercises} - allowed
    if forbidden:
        raise Rejected(f"the golden prompt's answer has exercises that the person may not do: {sorted(forbidden)}")
    if len(answer.plan.days) != GOLDEN.days_per_week:
        raise Rejected(f"the golden prompt's answer has {len(answer.plan.days)} days, not {GOLDEN.days_per_week}")
