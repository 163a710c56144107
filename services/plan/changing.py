"""Changing: a user's own plan, edited, and what may not come of it.

A user may make a plan easier, harder or odd: what a coach would object to is told as warnings. What would hurt
is refused: exercises that the person's health rules out and the plan did not hold before, and numbers that are
not theirs to choose because a restriction bounds them. A change that repeats an exercise within a day, or names
one that does not exist, is no plan at all.
"""

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field

from shared.coach.catalogue import EXERCISES
from shared.coach.checker import Finding, check_plan
from shared.coach.editing import apply_edits
from shared.coach.plan import Edit, PlanDay, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import WEEKDAYS
from shared.errors import Conflict, InvalidFields
from shared.frozen import Frozen

REFUSED: Final = frozenset({"contraindicated", "rir_bounds"})
"""Rules that nobody may break; in bounds of RIR stands how near to failure somebody may safely go."""
_NO_PLAN: Final = frozenset({"unknown_exercise", "repeated_exercise", "weekday_order"})


def wrong(field: str, message: str) -> InvalidFields:
    """Return the error of a plan that cannot be; `field` says where."""
    return InvalidFields(((field, message),))


class Warned(Frozen):
    """Something that a coach would change in a plan."""

    rule: str
    where: str
    message: str


class EditedPlan(Frozen):
    """A plan as a user writes it."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    days: Annotated[tuple[PlanDay, ...], Field(min_length=1, max_length=7)]


def edited(plan: WorkoutPlan, edits: Iterable[Edit], person: UserProfile) -> WorkoutPlan:
    """Return the plan that a user's edits make; raises EditError, InvalidFields, or Conflict where it would hurt."""
    return allowed(plan, apply_edits(plan, edits), person)


def rewritten(plan: WorkoutPlan, new: EditedPlan, person: UserProfile) -> WorkoutPlan:
    """Return the plan that a user wrote in place of another; raises InvalidFields, or Conflict where it would hurt."""
    days = tuple(sorted(new.days, key=lambda day: WEEKDAYS.index(day.weekday)))
    for place, day in enumerate(new.days):
        _check_day(place, day)
    weekdays = [day.weekday for day in days]
    if len(set(weekdays)) < len(weekdays):
        raise wrong("days", "a weekday stands there twice; each may have one session")
    return allowed(plan, WorkoutPlan(name=new.name, goal=plan.goal, days=days), person)


def _check_day(place: int, day: PlanDay) -> None:
    seen: set[str] = set()
    for at, line in enumerate(day.exercises):
        where = f"days.{place}.exercises.{at}.exercise"
        if line.exercise not in EXERCISES:
            raise wrong(where, f"{line.exercise[:60]!r} is not in the catalogue")
        if line.exercise in seen:
            raise wrong(where, f"{EXERCISES[line.exercise].name} stands in this day twice; allowed is once")
        seen.add(line.exercise)


def allowed(before: WorkoutPlan, after: WorkoutPlan, person: UserProfile) -> WorkoutPlan:
    """Return a plan where nobody gets hurt by it who was not by the one before; raises InvalidFields or Conflict."""
    known = {_key(finding) for finding in check_plan(before, person)}
    new = [finding for finding in check_plan(after, person) if _key(finding) not in known]
    for finding in new:
        if finding.rule in _NO_PLAN:
            raise wrong("days", f"{finding.where}: {finding.message}")
    hurting = [finding for finding in new if finding.rule in REFUSED]
    if hurting:
        raise Conflict("; ".join(f"{finding.where}: {finding.message}" for finding in hurting[:5]))
    return after


def warnings(plan: WorkoutPlan, person: UserProfile) -> tuple[Warned, ...]:
    """Return what a coach would change in a plan, the gravest first."""
    return tuple(Warned(rule=one.rule, where=one.where, message=one.message) for one in check_plan(plan, person))


def _key(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.where
