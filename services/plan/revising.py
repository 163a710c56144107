"""Revising: how one revision of a plan differs from another, told day by day and number by number."""

from collections.abc import Iterator
from typing import Literal

from shared.coach.plan import PlanDay, PlannedExercise, WorkoutPlan
from shared.coach.vocabulary import WEEKDAYS, Weekday
from shared.frozen import Frozen

Number = Literal["sets", "reps", "rir", "rest_s"]
NUMBERS: tuple[Number, ...] = ("sets", "reps", "rir", "rest_s")


class NumberChange(Frozen):
    """A number of an exercise before and after."""

    field: Number
    before: int
    after: int


class ExerciseChange(Frozen):
    """What happened to an exercise of a day."""

    exercise: str
    change: Literal["added", "removed", "changed", "reordered"]
    numbers: tuple[NumberChange, ...] = ()


class DayChange(Frozen):
    """What happened to a day."""

    weekday: Weekday
    change: Literal["added", "removed", "changed", "moved"]
    moved_to: Weekday | None = None
    renamed: tuple[str, str] | None = None
    exercises: tuple[ExerciseChange, ...] = ()


class PlanDiff(Frozen):
    """What happened between two revisions; equal plans have nothing in it."""

    renamed: tuple[str, str] | None
    days: tuple[DayChange, ...]


def diff(before: WorkoutPlan, after: WorkoutPlan) -> PlanDiff:
    """Return what happened to a plan. A session that only stands on another weekday is told as moved."""
    renamed = (before.name, after.name) if before.name != after.name else None
    old, new = ({day.weekday: day for day in plan.days} for plan in (before, after))
    moved = dict(_moved(old, new))
    changes = []
    for weekday in WEEKDAYS:
        if weekday in moved:
            changes.append(DayChange(weekday=weekday, change="moved", moved_to=moved[weekday]))
        elif weekday in old or (weekday in new and weekday not in moved.values()):
            change = _day_change(weekday, old.get(weekday), new.get(weekday))
            changes.extend([change] if change else [])
    return PlanDiff(renamed=renamed, days=tuple(changes))


def _moved(old: dict[Weekday, PlanDay], new: dict[Weekday, PlanDay]) -> Iterator[tuple[Weekday, Weekday]]:
    came = [day for day in new.values() if day.weekday not in old]
    for weekday, day in old.items():
        if weekday in new:
            continue
        to = next((other for other in came if other.name == day.name and other.exercises == day.exercises), None)
        if to is not None:
            came.remove(to)
            yield weekday, to.weekday


def _day_change(weekday: Weekday, before: PlanDay | None, after: PlanDay | None) -> DayChange | None:
    if before is None or after is None:
        return DayChange(weekday=weekday, change="added" if before is None else "removed")
    renamed = (before.name, after.name) if before.name != after.name else None
    exercises = tuple(_exercise_changes(before.exercises, after.exercises))
    if not exercises and renamed is None:
        return None
    return DayChange(weekday=weekday, change="changed", renamed=renamed, exercises=exercises)


def _exercise_changes(
    before: tuple[PlannedExercise, ...], after: tuple[PlannedExercise, ...]
) -> Iterator[ExerciseChange]:
    old, new = ({line.exercise: line for line in lines} for lines in (before, after))
    for exercise in old:
        if exercise not in new:
            yield ExerciseChange(exercise=exercise, change="removed")
    stayed = [exercise for exercise in old if exercise in new]
    order = [exercise for exercise in new if exercise in old]
    for exercise, line in new.items():
        if exercise not in old:
            yield ExerciseChange(exercise=exercise, change="added")
        elif numbers := tuple(_number_changes(old[exercise], line)):
            yield ExerciseChange(exercise=exercise, change="changed", numbers=numbers)
        elif stayed.index(exercise) != order.index(exercise):
            yield ExerciseChange(exercise=exercise, change="reordered")


def _number_changes(before: PlannedExercise, after: PlannedExercise) -> Iterator[NumberChange]:
    for field in NUMBERS:
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            yield NumberChange(field=field, before=was, after=now)
