"""Requests: what a user sends, with what is known of them, made into what a coach is asked."""

from typing import Annotated, NamedTuple

from pydantic import Field

from services.plan.adapting import Adaptation
from services.plan.answers import Request
from services.plan.catalogue_ids import EquipmentId
from shared.bodies import Body
from shared.coach.catalogue import EQUIPMENT
from shared.coach.plan import WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.training_log import TrainingSummary
from shared.coach.vocabulary import Goal
from shared.coach.wishes import read_change, read_creation, read_question
from shared.errors import Rejected

_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
Message = Annotated[
    str, Field(min_length=1, max_length=2000, pattern=rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$")
]
"""What people write: up to 2,000 characters, not all of them white space, none of them a control character."""


class Known(NamedTuple):
    """What is known of somebody when they ask."""

    profile: UserProfile
    plan: WorkoutPlan | None
    summary: TrainingSummary | None


class PlanWish(Body):
    """What somebody wants of a new plan; what is not said is as in their profile."""

    message: Message | None = None
    """In their own words."""
    goal: Goal | None = None
    days_per_week: Annotated[int, Field(ge=2, le=6)] | None = None
    session_minutes: Annotated[int, Field(ge=20, le=120)] | None = None
    equipment: Annotated[tuple[EquipmentId, ...], Field(max_length=80)] | None = None
    """Catalogue ids. Empty means a floor and some space."""


def creation(wish: PlanWish, known: Known, request_id: str) -> Request:
    """Return the request for a new plan."""
    said = read_creation(wish.message or "", known.profile)
    fields = {
        "goal": wish.goal,
        "days_per_week": wish.days_per_week or said.days_per_week,
        "session_minutes": wish.session_minutes or said.session_minutes,
        "equipment": None if wish.equipment is None else tuple(sorted(set(wish.equipment))),
    }
    return Request(
        request_id=request_id,
        user_id=known.profile.user_id,
        prompt_type="plan_creation",
        words=_words(wish),
        scenario=said.model_copy(update=fields),
        understood=True,
        profile=known.profile,
        plan=None,
        summary=None,
    )


def change(words: str, known: Known, request_id: str) -> Request:
    """Return the request for a change of the plan, by its words."""
    if known.plan is None:
        raise Rejected("there is no plan to change")
    scenario = read_change(words, known.profile, known.plan)
    return Request(
        request_id=request_id,
        user_id=known.profile.user_id,
        prompt_type=scenario.prompt_type,
        words=words,
        scenario=scenario,
        understood=scenario.intent != "training_question",
        profile=known.profile,
        plan=known.plan,
        summary=known.summary,
    )


def adaptation(found: Adaptation, known: Known, request_id: str) -> Request | None:
    """Return the request for next week's changes, or None where the log asks for none."""
    if found.scenario is None or known.plan is None:
        return None
    return Request(
        request_id=request_id,
        user_id=known.profile.user_id,
        prompt_type=found.scenario.prompt_type,
        words=found.words,
        scenario=found.scenario,
        understood=True,
        profile=known.profile,
        plan=known.plan,
        summary=known.summary,
    )


def chat(words: str, known: Known, request_id: str) -> Request:
    """Return a question to the coach."""
    scenario, understood = read_question(words, known.profile)
    if scenario.intent == "training_question" and understood and known.summary and known.summary.lifts:
        scenario = scenario.model_copy(update={"exercise": known.summary.lifts[0].exercise})
    return Request(
        request_id=request_id,
        user_id=known.profile.user_id,
        prompt_type="coach_chat",
        words=words,
        scenario=scenario,
        understood=understood,
        profile=known.profile,
        plan=None,
        summary=known.summary,
    )


def _words(wish: PlanWish) -> str:
    """Return a wish in words: a model reads nothing else of it."""
    said = [wish.message or "Please make me a training plan."]
    if wish.goal:
        said.append(f"My goal: {wish.goal.replace('_', ' ')}.")
    if wish.days_per_week:
        said.append(f"{wish.days_per_week} days a week.")
    if wish.session_minutes:
        said.append(f"{wish.session_minutes} minutes per session.")
    if wish.equipment:
        said.append(f"Equipment: {', '.join(EQUIPMENT[kind].name for kind in wish.equipment)}.")
    elif wish.equipment is not None:
        said.append("I have no equipment, just my body weight.")
    return " ".join(said)
