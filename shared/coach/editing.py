"""Editing: edits applied to a plan, one after the other, or refused with the reason.

An edit works on what the ones before it left. A swap keeps its place, sets, RIR and rest, and about the
length of a set where the new exercise counts in another unit. Days stay in the order of the week.
"""

from collections.abc import Iterable

from shared.coach.adjusting import propose_edits as propose_edits
from shared.coach.catalogue import EXERCISES
from shared.coach.effort import converted, is_counted
from shared.coach.effort import session_seconds as session_seconds
from shared.coach.effort import weekly_sets as weekly_sets
from shared.coach.notation import BOUNDS
from shared.coach.plan import (
    Change,
    Edit,
    Move,
    PlanDay,
    PlannedExercise,
    Remove,
    Swap,
    WorkoutPlan,
    planned,
)
from shared.coach.vocabulary import WEEKDAYS, Weekday
from shared.errors import Rejected

_MOST_EXERCISES = 12


class EditError(Rejected):
    """An edit that cannot be done; `index` tells which, counted from 0."""

    def __init__(self, index: int, edit: Edit, problem: str) -> None:
        super().__init__(f"edits[{index}] ({edit.op} on {edit.day}): {problem}")
        self.index = index


class _Week:
    """A plan's days while edits change them."""

    def __init__(self, plan: WorkoutPlan) -> None:
        self.names = {day.weekday: day.name for day in plan.days}
        self.lines = {day.weekday: list(day.exercises) for day in plan.days}

    def day(self, weekday: Weekday) -> list[PlannedExercise]:
        if weekday not in self.lines:
            raise Rejected(f"there is no {weekday}; the plan has {', '.join(self.lines)}")
        return self.lines[weekday]

    def place(self, weekday: Weekday, exercise: str) -> int:
        lines = self.day(weekday)
        for index, line in enumerate(lines):
            if line.exercise == exercise:
                return index
        there = ", ".join(_name(line.exercise) for line in lines)
        raise Rejected(f"{_name(exercise)} is not there; {weekday} has {there}")

    def check_new(self, weekday: Weekday, exercise: str) -> None:
        if exercise not in EXERCISES:
            raise Rejected(f"{exercise!r} is not in the catalogue")
        if any(line.exercise == exercise for line in self.day(weekday)):
            raise Rejected(f"{_name(exercise)} is already there; an exercise stands once in a day")


def apply_edits(plan: WorkoutPlan, edits: Iterable[Edit]) -> WorkoutPlan:
    """Return the plan that edits make of a plan; raises EditError at the first that cannot be done."""
    week = _Week(plan)
    for index, edit in enumerate(edits):
        try:
            _apply(edit, week)
        except Rejected as exc:
            raise EditError(index, edit, str(exc)) from exc
    days = [
        PlanDay(weekday=weekday, name=week.names[weekday], exercises=tuple(week.lines[weekday]))
        for weekday in WEEKDAYS
        if weekday in week.lines
    ]
    return WorkoutPlan(name=plan.name, goal=plan.goal, days=tuple(days))


def _apply(edit: Edit, week: _Week) -> None:
    match edit.op:
        case "swap":
            _swap(edit, week)
        case "add":
            week.check_new(edit.day, edit.new.exercise)
            if len(week.day(edit.day)) >= _MOST_EXERCISES:
                raise Rejected(f"{edit.day} has {_MOST_EXERCISES} exercises already, which is the most")
            week.day(edit.day).append(edit.new)
        case "remove":
            _remove(edit, week)
        case "move":
            _move(edit, week)
        case _:
            _change(edit, week)


def _swap(edit: Swap, week: _Week) -> None:
    place = week.place(edit.day, edit.exercise)
    week.check_new(edit.day, edit.new)
    line = week.day(edit.day)[place]
    old, new = EXERCISES.get(edit.exercise), EXERCISES[edit.new]
    reps = converted(line.reps, old, new) if old else line.reps
    week.day(edit.day)[place] = planned(edit.new, line.sets, reps, line.rir, line.rest_s)


def _remove(edit: Remove, week: _Week) -> None:
    if edit.exercise is None:
        week.day(edit.day)
        if len(week.lines) == 1:
            raise Rejected("this is the last day of the plan; one has to stay")
        del week.lines[edit.day]
        return
    place = week.place(edit.day, edit.exercise)
    if len(week.day(edit.day)) == 1:
        raise Rejected(f"this is the last exercise of {edit.day}; to drop the day, remove {edit.day}")
    del week.day(edit.day)[place]


def _change(edit: Change, week: _Week) -> None:
    low, high = BOUNDS[edit.op]
    if not low <= edit.value <= high:
        raise Rejected(f"{edit.op} is {edit.value}; allowed is {low} to {high}")
    lines = week.day(edit.day)
    if edit.exercise is not None:
        places = [week.place(edit.day, edit.exercise)]
    else:
        places = [place for place, line in enumerate(lines) if is_counted(line.exercise)]
    for place in places:
        line = lines[place]
        numbers = {
            "sets": line.sets,
            "reps": line.reps,
            "rir": line.rir,
            "rest": line.rest_s,
            edit.op: edit.value,
        }
        lines[place] = planned(line.exercise, *numbers.values())


def _move(edit: Move, week: _Week) -> None:
    week.day(edit.day)
    if edit.to in week.lines:
        raise Rejected(f"{edit.to} is taken; free are {', '.join(d for d in WEEKDAYS if d not in week.lines)}")
    week.lines[edit.to] = week.lines.pop(edit.day)
    week.names[edit.to] = week.names.pop(edit.day)


def _name(exercise: str) -> str:
    return EXERCISES[exercise].name if exercise in EXERCISES else repr(exercise)
