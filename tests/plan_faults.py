"""Plan faults: for each rule of the checker, a plan that breaks this rule and no other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.coach.catalogue import EXERCISES
from shared.coach.effort import EFFORTS
from shared.coach.plan import PlanDay, PlannedExercise, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue, UserProfile
from shared.coach.restrictions import restrictions_for
from tests.people import GYM, person

Case = tuple[WorkoutPlan, UserProfile]
Lines = list[PlannedExercise]


def _plain() -> Case:
    who = person()
    return make_plan(who), who


def _with_lines(plan: WorkoutPlan, change: Callable[[Lines], Lines], days: int = 1) -> WorkoutPlan:
    """Return a plan with the lines of its first days changed."""
    changed = [
        day.model_copy(update={"exercises": tuple(change(list(day.exercises)))}) if place < days else day
        for place, day in enumerate(plan.days)
    ]
    return plan.model_copy(update={"days": tuple(changed)})


def _first(plan: WorkoutPlan, **numbers: Any) -> WorkoutPlan:
    """Return a plan with some numbers of its first line changed."""
    return _with_lines(plan, lambda lines: [replace(lines[0], **numbers), *lines[1:]])


def _alike_but(line: PlannedExercise, wanted: Callable[[str], bool]) -> str:
    """Return an exercise that trains the same in the same way, and is as wanted."""
    effort = EFFORTS[line.exercise]
    return next(
        other.id
        for other in EFFORTS.values()
        if (other.kind, other.group, other.exercise.unilateral) == (effort.kind, effort.group, False)
        and wanted(other.id)
    )


def _contraindicated() -> Case:
    who = person(injuries=(HealthIssue(id="knee_pain", severity="severe"),))
    plan = make_plan(who)
    allowed = restrictions_for(who).allowed
    usable = restrictions_for(person()).allowed
    wrong = _alike_but(plan.days[0].exercises[0], lambda one: one in usable and one not in allowed)
    return _first(plan, exercise=wrong), who


def _equipment() -> Case:
    plan, _ = _plain()
    used = {line.exercise for day in plan.days for line in day.exercises}
    line = plan.days[0].exercises[0]
    for kind in GYM:
        less = person(equipment=tuple(one for one in GYM if one != kind))
        allowed = restrictions_for(less).allowed
        missing = [one for one in restrictions_for(person()).allowed_in_order if one not in allowed]
        if not used & set(missing) and any(EFFORTS[one].group == EFFORTS[line.exercise].group for one in missing):
            wrong = [one for one in missing if EFFORTS[one].kind == EFFORTS[line.exercise].kind]
            if wrong:
                return _first(plan, exercise=wrong[0]), less
    raise AssertionError("every piece of equipment is in use")


def _too_advanced() -> Case:
    who = person(experience="beginner", session_minutes=90)
    plan = make_plan(who)
    line = plan.days[0].exercises[0]
    wrong = _alike_but(line, lambda one: EXERCISES[one].level == "advanced")
    return _first(plan, exercise=wrong), who


def _recovery() -> Case:
    plan, who = _plain()
    first = plan.days[0]
    heavy = [replace(line, sets=4) for line in first.exercises[:4]]
    twice = [PlanDay(weekday=weekday, name="Full Body", exercises=tuple(heavy)) for weekday in ("mon", "tue")]
    return plan.model_copy(update={"days": (*twice, plan.days[2].model_copy(update={"weekday": "fri"}))}), who


def _weekly_volume() -> Case:
    plan, who = _plain()
    no_pulls = _with_lines(plan, lambda lines: [x for x in lines if EFFORTS[x.exercise].group != "pull"], days=3)
    return no_pulls, who


def _variety() -> Case:
    plan, who = _plain()
    lines = plan.days[0].exercises[:4]
    days = tuple(day.model_copy(update={"exercises": lines}) for day in plan.days)
    return plan.model_copy(update={"days": days}), who


def _too_many_exercises() -> Case:
    plan, who = _plain()
    stretches = [one.id for one in EXERCISES.values() if one.pattern == "mobility"]
    short = [PlannedExercise(exercise=one, sets=1, reps=15, rir=5, rest_s=0) for one in stretches]
    return _with_lines(plan, lambda lines: [*lines, *short][:11]), who


def _repeated() -> Case:
    plan, who = _plain()
    stretch = PlannedExercise(exercise="neck-turn", sets=1, reps=15, rir=5, rest_s=0)
    return _with_lines(plan, lambda lines: [*lines, stretch, stretch]), who


def _weekday_order() -> Case:
    plan, who = _plain()
    first, second, third = plan.days
    return plan.model_copy(update={"days": (second, first, third)}), who


def _days_match() -> Case:
    plan, who = _plain()
    return plan, who.model_copy(update={"days_per_week": 4})


def _beginner(**numbers: object) -> Case:
    who = person(experience="beginner", session_minutes=90)
    return _first(make_plan(who), **numbers), who


def _changed(**numbers: object) -> Case:
    plan, who = _plain()
    return _first(plan, **numbers), who


def _asked(**changes: object) -> Case:
    plan, _ = _plain()
    return plan, person(**changes)


def _renamed() -> Case:
    plan, who = _plain()
    day = plan.days[0].model_copy(update={"name": "Push Day"})
    return plan.model_copy(update={"days": (day, *plan.days[1:])}), who


FAULTS: dict[str, Callable[[], Case]] = {
    "contraindicated": _contraindicated,
    "unknown_exercise": lambda: _changed(exercise="moon-squat"),
    "equipment": _equipment,
    "too_advanced": _too_advanced,
    "session_time": lambda: _asked(session_minutes=50),
    "rir_bounds": lambda: _beginner(rir=0),
    "reps_bounds": lambda: _changed(reps=4),
    "rest_bounds": lambda: _changed(rest_s=10),
    "sets_bounds": lambda: _beginner(sets=5),
    "recovery": _recovery,
    "weekly_volume": _weekly_volume,
    "days_match": _days_match,
    "weekday_order": _weekday_order,
    "goal_match": lambda: _asked(goals=("general_fitness", "muscle_gain")),
    "exercises_per_day": _too_many_exercises,
    "repeated_exercise": _repeated,
    "session_too_short": lambda: _asked(session_minutes=120),
    "day_name": _renamed,
    "variety": _variety,
}
