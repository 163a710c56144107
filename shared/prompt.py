"""Prompt: what a model reads. The one renderer for the teacher, for training and for serving.

    system  one text per prompt type: the wire form to answer in, its bounds, when to escalate
    user    who asks, their limits, a menu, their plan and log where they matter, the message last

Equal arguments give equal text. Nothing in it names a person: no name, no e-mail, no id.
Menu and limits follow from the stored profile; what the message changes stands only in its words.
"""

from functools import cached_property, lru_cache
from typing import Final, NamedTuple

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES, MEDICATIONS
from shared.coach.menu import menu
from shared.coach.plan import WorkoutPlan
from shared.coach.profile import HealthIssue, UserProfile
from shared.coach.restrictions import Restrictions, restrictions_for
from shared.coach.training_log import LiftTrend, TrainingSummary
from shared.coach.vocabulary import CHANGES, PromptType
from shared.coach.wire import plan_lines

_COACH: Final = "You are a careful strength and fitness coach. Answer with one minified JSON object and nothing else:\n"
_LINE: Final = (
    "LINE is NAME SETSxREPS@RIR/REST, with REPS as 10, 40s or 20min; 1-6 sets, RIR 0-5, rest 0-300 s. "
    "Names come from the menu. "
)
_SAFETY: Final = (
    "The message overrides the profile; keep to every limit. "
    "escalation: emergency for warning signs such as chest pain, fainting or sudden weakness ({then}, "
    "urge them to stop and call the emergency number); "
    "see_professional for worrying symptoms, risks to health and medical questions; else none. "
    "No diagnoses, no doses, no coaching through pain."
)
_EDITS: Final = (
    _COACH + '{"escalation":"none","edits":[{"do":"swap mon Back Squat > Leg Press","why":"..."}],"explanation":"...",'
    '"safety_notes":["..."]}\n'
    "do: swap DAY NAME > NAME, add DAY LINE, remove DAY [NAME], sets|reps|rir|rest DAY [NAME] N, "
    "move DAY > DAY; without NAME it is the whole day. Change no more than is needed; give each edit its reason. "
    + _LINE
    + _SAFETY.format(then="no edits")
)
_SYSTEM: Final[dict[PromptType, str]] = {
    "plan_creation": _COACH
    + '{"escalation":"none","plan":{"name":"Strength, 3 days","goal":"strength","days":[{"day":"mon",'
    '"name":"Full Body A","exercises":["Goblet Squat 3x10@2/90"]}]},"explanation":"...","safety_notes":["..."]}\n'
    + _LINE
    + "Give exactly the days a week asked for, 3-10 exercises a day, within the session minutes; "
    "name each day after what it trains; rest muscles between hard days. " + _SAFETY.format(then="plan null"),
    "plan_modification": _EDITS,
    "safety_adjustment": _EDITS,
    "progress_adaptation": _EDITS,
    "coach_chat": _COACH
    + '{"escalation":"none","reply":"..."}\n'
    + "Reply in two to five sentences, to the point, with this person's numbers. "
    + _SAFETY.format(then="no coaching"),
}
_MENU_SIZE: Final[dict[PromptType, int]] = {
    "plan_creation": 4,
    "plan_modification": 3,
    "safety_adjustment": 3,
    "progress_adaptation": 3,
    "coach_chat": 0,
}
_GYM: Final = tuple(kind.id for kind in EQUIPMENT.values() if kind.category == "gym")


class Prompt(NamedTuple):
    """The two messages that a model is asked with."""

    system: str
    user: str
    summary: str = ""
    """The training summary, as it stands in `user`; empty where it does not."""


def render(
    prompt_type: PromptType,
    person: UserProfile,
    request: str,
    plan: WorkoutPlan | None,
    summary: TrainingSummary | None,
) -> Prompt:
    """Return what a model is asked, when this person writes this request."""
    return Sheet(person, plan, summary).prompt(prompt_type, request)


class Sheet:
    """What a coach knows of a person, for the prompts of all their messages; each part is rendered once."""

    def __init__(self, person: UserProfile, plan: WorkoutPlan | None, summary: TrainingSummary | None) -> None:
        self._person = person
        self._plan = plan
        self._summary = summary

    def prompt(self, prompt_type: PromptType, request: str) -> Prompt:
        """Return what a model is asked, when this person writes this request."""
        lines = [self._about]
        if prompt_type == "coach_chat":
            lines.append(self._needs())
        if per_pattern := _MENU_SIZE[prompt_type]:
            lines.append(_menu_text(menu(self._person, per_pattern)))
        if prompt_type in CHANGES and self._plan:
            lines.append(self._plan_text)
        summary = "" if prompt_type == "plan_creation" else self._summary_text
        if summary:
            lines.append(f"Log: {summary}")
        lines.append(f"Message: {request}")
        return Prompt(_SYSTEM[prompt_type], "\n".join(lines), summary)

    @cached_property
    def _about(self) -> str:
        return "\n".join([*_person_lines(self._person), _limits_line(restrictions_for(self._person))])

    def _needs(self) -> str:
        person = self._person
        return f"Needs: {person.maintenance_kcal} kcal a day to keep weight, {person.sleep_target_h:g} h sleep"

    @cached_property
    def _plan_text(self) -> str:
        return f"Plan: {self._plan.name}\n{plan_lines(self._plan)}" if self._plan else ""

    @cached_property
    def _summary_text(self) -> str:
        return summary_line(self._summary) if self._summary else ""


def summary_line(summary: TrainingSummary) -> str:
    """Return a training summary in one line of text."""
    parts = [
        f"{summary.weeks} weeks",
        f"{summary.done_sessions} of {summary.planned_sessions} sessions done",
        f"{summary.sets_per_week:g} sets a week",
    ]
    if summary.avg_rir is not None:
        parts.append(f"average RIR {summary.avg_rir:g}")
    if summary.lifts:
        parts.append("estimated 1RM " + ", ".join(map(_lift, summary.lifts)))
    if summary.avg_sleep_h is not None:
        parts.append(f"sleep {summary.avg_sleep_h:g} h")
    if summary.avg_kcal is not None:
        parts.append(f"{summary.avg_kcal} kcal a day")
    if summary.weight_change_kg is not None:
        parts.append(f"weight {summary.weight_change_kg:+g} kg")
    return "; ".join(parts)


def _lift(lift: LiftTrend) -> str:
    name = EXERCISES[lift.exercise].name
    return f"{name} {lift.first_e1rm_kg:g} to {lift.last_e1rm_kg:g} kg ({lift.trend})"


def _person_lines(person: UserProfile) -> tuple[str, ...]:
    goals = ", then ".join(goal.replace("_", " ") for goal in person.goals)
    issues = ", ".join(map(_issue, (*person.injuries, *person.conditions)))
    medication = ", ".join(f"{MEDICATIONS[m.id].name} {m.dose} {m.frequency}" for m in person.medications)
    return (
        f"Person: {person.sex}, {person.age} years, {person.height_cm:g} cm, {person.weight_kg:g} kg, "
        f"{person.experience}, {person.activity_level.replace('_', ' ')}",
        f"Goal: {goals}",
        f"Time: {person.days_per_week} days a week, {person.session_minutes} minutes a session",
        f"Equipment: {_equipment_text(person.equipment)}",
        f"Health: {issues or 'no issues'}; medication: {medication or 'none'}; "
        f"allergies: {', '.join(person.allergies) or 'none'}",
    )


def _issue(issue: HealthIssue) -> str:
    return f"{CONDITIONS[issue.id].name} ({issue.severity})"


@lru_cache(maxsize=1024)
def _equipment_text(equipment: tuple[str, ...]) -> str:
    """Return what there is to train with, told by what is missing where that is shorter."""
    lacking = [kind for kind in _GYM if kind not in equipment]
    home = [kind for kind in equipment if kind not in _GYM]
    if 2 * len(lacking) > len(_GYM):
        return ", ".join(EQUIPMENT[kind].name for kind in equipment) or "none, body weight only"
    without = f" without {', '.join(EQUIPMENT[kind].name for kind in lacking)}" if lacking else ""
    plus = f"; {', '.join(EQUIPMENT[kind].name for kind in home)}" if home else ""
    return f"full gym{without}{plus}"


def _limits_line(limits: Restrictions) -> str:
    bounds = (
        (limits.min_rir > 0, f"RIR at least {limits.min_rir}"),
        (limits.min_reps > 1, f"at least {limits.min_reps} reps a set"),
        (limits.min_rest_s > 0, f"rest at least {limits.min_rest_s} s"),
        (limits.max_session_minutes is not None, f"at most {limits.max_session_minutes} minutes a session"),
    )
    told = (*limits.constraints, *(text for holds, text in bounds if holds))
    return f"Limits: {'; '.join(told) or 'none'}"


@lru_cache(maxsize=1024)
def _menu_text(choices: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    return "Menu:\n" + "\n".join(f"{pattern}: {', '.join(names)}" for pattern, names in choices)
