"""Scenarios: what a person asks for, drawn so that it fits who they are and how training goes.

A drawer returns None where its intent makes no sense for the person (nobody asks to train fewer
days than two); the draw then goes on among the other intents of the prompt type.
"""

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple, TypeVar

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES, MEDICATIONS
from shared.coach.checker import check_plan
from shared.coach.editing import apply_edits
from shared.coach.plan import Move, WorkoutPlan
from shared.coach.profile import HealthIssue, UserProfile
from shared.coach.scenario import HARMLESS_IF_REFUSED, Intent, Scenario
from shared.coach.training_log import TrainingSummary
from shared.coach.vocabulary import GOALS, WEEKDAYS, Escalation, PromptType, Severity, Sex
from shared.synthetic.messages.phrases import PHRASES
from shared.synthetic.messages.shares import SHARES

SESSION_MINUTES: Final = (20, 25, 30, 35, 40, 45, 50, 60, 75, 90)
SEVERITIES: Final[tuple[Severity, ...]] = ("mild", "mild", "moderate", "moderate", "moderate", "severe")
WORSE: Final[dict[Severity, Severity]] = {"mild": "moderate", "moderate": "severe"}
FLARES: Final = (
    "asthma", "copd", "osteoarthritis_knee", "osteoarthritis_hip", "rheumatoid_arthritis", "low_back_pain",
    "disc_herniation", "sciatica", "fibromyalgia", "migraine", "vertigo", "endometriosis", "hernia", "anxiety",
)  # fmt: skip
"""Conditions that come and go; injuries all do."""
HURTS: Final = (
    "knee_pain",
    "shoulder_impingement",
    "low_back_pain",
    "ankle_sprain",
    "tennis_elbow",
    "hip_pain",
)
MISSED_FROM: Final = 2

_T = TypeVar("_T")


class Ground(NamedTuple):
    """What a scenario has to fit."""

    prompt_type: PromptType
    person: UserProfile
    plan: WorkoutPlan
    summary: TrainingSummary


def draw_scenario(ground: Ground, rng: Random) -> Scenario:
    """Return a scenario of the ground's prompt type that makes sense for the person.

    Every type has an intent that fits anybody, so the draw ends. What does not fit leaves its share to
    the others, but for warning signs, which stay as rare as they are.
    """
    left = SHARES[ground.prompt_type]
    while True:
        intent = _weighted(left, rng)
        scenario = _DRAWERS[intent](ground, rng)
        if scenario is not None:
            return scenario
        left = tuple(one for one in left if one[0] not in (intent, "warning_sign"))


def _weighted(shares: Sequence[tuple[Intent, float]], rng: Random) -> Intent:
    point = rng.random() * sum([share for _, share in shares])
    for intent, share in shares:
        point -= share
        if point < 0:
            return intent
    return shares[-1][0]


def _one(options: Sequence[_T], rng: Random) -> _T:
    return options[int(rng.random() * len(options))]


def _scenario(ground: Ground, intent: Intent, **fields: Any) -> Scenario:
    return Scenario(prompt_type=ground.prompt_type, intent=intent, **fields)


def _plain(intent: Intent) -> "Drawer":
    return lambda ground, rng: _scenario(ground, intent)


def _new_plan(ground: Ground, rng: Random) -> Scenario:
    person, fields = ground.person, dict[str, object]()
    if rng.random() < 0.3:
        fields["goal"] = _one([goal for goal in GOALS if goal != person.goal], rng)
    if rng.random() < 0.4:
        fields["days_per_week"] = _one([days for days in range(2, 7) if days != person.days_per_week], rng)
    if rng.random() < 0.35:
        fields["session_minutes"] = _one([m for m in SESSION_MINUTES if m != person.session_minutes], rng)
    if person.equipment and rng.random() < 0.25:
        fields["equipment"] = _less_equipment(person.equipment, rng)
    if rng.random() < 0.15 and (issue := _unknown_issue(person, rng)):
        fields |= {"new_issues": (issue,), "escalation": _escalation(issue)}
    return _scenario(ground, "new_plan", **fields)


def _shorter(ground: Ground, rng: Random) -> Scenario | None:
    shorter = [minutes for minutes in SESSION_MINUTES if minutes < ground.person.session_minutes]
    return _scenario(ground, "shorter", session_minutes=_one(shorter, rng)) if shorter else None


def _fewer_days(ground: Ground, rng: Random) -> Scenario | None:
    fewer = range(2, ground.person.days_per_week)
    return _scenario(ground, "fewer_days", days_per_week=_one(fewer, rng)) if fewer else None


def _swap(ground: Ground, rng: Random) -> Scenario:
    line = _one(_one(ground.plan.days, rng).exercises, rng)
    return _scenario(ground, "swap", exercise=line.exercise)


def _move_day(ground: Ground, rng: Random) -> Scenario | None:
    """Return the wish to train on another day, where some other day leaves enough recovery."""
    taken = [day.weekday for day in ground.plan.days]
    moves = [(day, to) for day in taken for to in WEEKDAYS if to not in taken]
    rng.shuffle(moves)
    for day, to in moves[:4]:
        move = Move(op="move", day=day, to=to, why="asked for")
        if not check_plan(apply_edits(ground.plan, (move,)), ground.person):
            return _scenario(ground, "move_day", topic=f"{day}>{to}")
    return None


def _other_equipment(ground: Ground, rng: Random) -> Scenario | None:
    owned = ground.person.equipment
    return _scenario(ground, "other_equipment", equipment=_less_equipment(owned, rng)) if owned else None


def _less_equipment(owned: tuple[str, ...], rng: Random) -> tuple[str, ...]:
    """Return a few portable things out of many, in their order, or nothing at all."""
    portable = [kind for kind in owned if EQUIPMENT[kind].category == "home"]
    most = min(3, len(portable), len(owned) - 1)
    return tuple(sorted(rng.sample(portable, rng.randint(0, most))))


def _new_issue(ground: Ground, rng: Random) -> Scenario | None:
    issue = _unknown_issue(ground.person, rng)
    if issue is None:
        return None
    return _scenario(ground, "new_issue", new_issues=(issue,), escalation=_escalation(issue))


def _escalation(issue: HealthIssue) -> Escalation:
    """Return what an issue calls for that nobody has looked at yet."""
    return "see_professional" if issue.severity == "severe" else "none"


def _unknown_issue(person: UserProfile, rng: Random) -> HealthIssue | None:
    """Return something that this person could have and has not told yet; injuries more often."""
    known = {issue.id for issue in (*person.injuries, *person.conditions)}
    kind = "injury" if rng.random() < 0.6 else "condition"
    possible = [one for one in _possible_issues(person.sex, person.age, kind) if one not in known]
    if not possible:
        return None
    issue = _one(possible, rng)
    return _issue(issue, "moderate" if f"told.{issue}" in PHRASES else _one(SEVERITIES, rng))


def _issue(issue: str, severity: Severity) -> HealthIssue:
    return HealthIssue(id=issue, severity=severity)


@cache
def _possible_issues(sex: Sex, age: int, kind: str) -> tuple[str, ...]:
    return tuple(
        one.id
        for one in CONDITIONS.values()
        if one.kind == kind and sex in one.sexes and one.min_age <= age <= one.max_age
    )


def _new_medication(ground: Ground, rng: Random) -> Scenario | None:
    """Return a medication for what the person has, or with a diagnosis that it comes with."""
    person = ground.person
    taken = {medication.id for medication in person.medications}
    has = {issue.id for issue in (*person.injuries, *person.conditions)}
    new = [one for one in MEDICATIONS.values() if one.id not in taken]
    for_known = [one.id for one in new if has.intersection(one.treats)]
    if for_known and rng.random() < 0.7:
        return _scenario(ground, "new_medication", new_medication=_one(for_known, rng))
    possible = _possible_issues(person.sex, person.age, "condition") + _possible_issues(
        person.sex, person.age, "injury"
    )
    pairs = [(one.id, why) for one in new for why in one.treats if why in possible and why not in has]
    if not pairs:
        return None
    medication, why = _one(pairs, rng)
    return _scenario(ground, "new_medication", new_medication=medication, new_issues=(_issue(why, "moderate"),))


def _flare_up(ground: Ground, rng: Random) -> Scenario | None:
    person = ground.person
    flaring = (*person.injuries, *(issue for issue in person.conditions if issue.id in FLARES))
    can_worsen = [issue for issue in flaring if issue.severity in WORSE]
    if not can_worsen:
        return None
    issue = _one(can_worsen, rng)
    worse = _issue(issue.id, WORSE[issue.severity])
    return _scenario(ground, "flare_up", new_issues=(worse,), escalation=_escalation(worse))


def _dangerous_request(ground: Ground, rng: Random) -> Scenario | None:
    topic = _one(PHRASES.names("dangerous."), rng).removeprefix("dangerous.")
    escalation: Escalation = "none" if topic in HARMLESS_IF_REFUSED else "see_professional"
    told: tuple[HealthIssue, ...] = ()
    if topic == "train_through_injury":
        told = (_issue(_one(HURTS, rng), "severe"),)
    elif topic == "max_out_pregnant":
        if "pregnancy" not in _possible_issues(ground.person.sex, ground.person.age, "condition"):
            return _dangerous_request(ground, rng)
        told = (_issue("pregnancy", "moderate"),)
    return _scenario(ground, "dangerous_request", topic=topic, new_issues=told, escalation=escalation)


def _plateau(ground: Ground, rng: Random) -> Scenario | None:
    lifts = ground.summary.lifts
    stuck = [lift.exercise for lift in lifts if lift.trend != "improving"]
    if lifts and not stuck:
        return None
    return _scenario(ground, "plateau", exercise=_one(stuck or _counted(ground.plan), rng))


def _improving(ground: Ground, rng: Random) -> Scenario | None:
    rising = [lift.exercise for lift in ground.summary.lifts if lift.trend == "improving"]
    return _scenario(ground, "improving", exercise=_one(rising, rng)) if rising else None


def _counted(plan: WorkoutPlan) -> list[str]:
    """Return the exercises of a plan that progress is told by: loaded, else counted in reps, else all."""
    every = [line.exercise for day in plan.days for line in day.exercises]
    counted = [one for one in every if EXERCISES[one].unit == "reps"]
    return [one for one in counted if EXERCISES[one].load_ratio is not None] or counted or every


def _missed_sessions(ground: Ground, rng: Random) -> Scenario | None:
    missed = ground.summary.planned_sessions - ground.summary.done_sessions
    return _scenario(ground, "missed_sessions") if missed >= MISSED_FROM else None


def _training_question(ground: Ground, rng: Random) -> Scenario:
    topic = _one(PHRASES.names("question."), rng).removeprefix("question.")
    lifts = [lift.exercise for lift in ground.summary.lifts]
    return _scenario(ground, "training_question", topic=topic, exercise=_one(lifts or _counted(ground.plan), rng))


def _motivation(ground: Ground, rng: Random) -> Scenario:
    topic = _one(PHRASES.names("motivation."), rng).removeprefix("motivation.")
    return _scenario(ground, "motivation", topic=topic)


def _out_of_scope(ground: Ground, rng: Random) -> Scenario:
    topic = _one(PHRASES.names("out_of_scope_medical."), rng).removeprefix("out_of_scope_medical.")
    return _scenario(ground, "out_of_scope_medical", topic=topic, escalation="see_professional")


def _warning_sign(ground: Ground, rng: Random) -> Scenario:
    urgency, escalation = ("now.", "emergency") if rng.random() < 0.6 else ("soon.", "see_professional")
    topic = _one(PHRASES.names(urgency), rng).removeprefix(urgency)
    return _scenario(ground, "warning_sign", topic=topic, escalation=escalation)


Drawer = Callable[[Ground, Random], Scenario | None]
_DRAWERS: Final[dict[Intent, Drawer]] = {
    "new_plan": _new_plan,
    "harder": _plain("harder"),
    "easier": _plain("easier"),
    "more_volume": _plain("more_volume"),
    "shorter": _shorter,
    "fewer_days": _fewer_days,
    "swap": _swap,
    "move_day": _move_day,
    "other_equipment": _other_equipment,
    "new_issue": _new_issue,
    "new_medication": _new_medication,
    "flare_up": _flare_up,
    "dangerous_request": _dangerous_request,
    "plateau": _plateau,
    "improving": _improving,
    "fatigue": _plain("fatigue"),
    "missed_sessions": _missed_sessions,
    "training_question": _training_question,
    "motivation": _motivation,
    "out_of_scope_medical": _out_of_scope,
    "warning_sign": _warning_sign,
}
