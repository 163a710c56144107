"""Checker: whether a plan is right for a person, rule by rule.

A finding names its rule, where in the plan it is ("mon / Goblet Squat") and what would be allowed.
A plan without findings is one that a careful coach could hand out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from shared.coach.catalogue import EQUIPMENT, EXERCISES, Exercise
from shared.coach.effort import EFFORTS, HARD_SETS, WARM_UP_S, Effort, Group
from shared.coach.focus import broken_promise
from shared.coach.lanes import above, sets_in
from shared.coach.limits import DAY_EXERCISES, Bounds, Limits, limits_for
from shared.coach.plan import PlanDay, PlannedExercise, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.restrictions import reasons_against, restrictions_for
from shared.coach.vocabulary import WEEKDAYS

RULES: dict[str, str] = {
    "contraindicated": "no exercise that a condition, injury or medication rules out",
    "unknown_exercise": "every exercise is in the catalogue",
    "equipment": "every exercise can be done with the equipment at hand",
    "too_advanced": "no advanced exercise for a beginner",
    "session_time": "a session fits the time asked for and the longest that is safe",
    "rir_bounds": "reps in reserve stay between what is safe and 5",
    "reps_bounds": "reps, seconds or minutes suit the exercise, the goal and the restrictions",
    "rest_bounds": "rest suits the exercise, the goal and the restrictions",
    "sets_bounds": "an exercise has 1 to 6 sets, a beginner's at most 4",
    "recovery": "no muscle is trained hard on two days running",
    "weekly_volume": "each muscle group gets enough sets a week, and no muscle too many",
    "days_match": "as many days as asked for",
    "weekday_order": "days stand in the order of the week, each once",
    "goal_match": "the plan serves the goal asked for",
    "exercises_per_day": "3 to 10 exercises a day",
    "repeated_exercise": "no exercise twice in a day",
    "session_too_short": "a session takes at least half of the time asked for",
    "day_name": "a day trains what its name says",
    "variety": "a week has several different exercises",
}
"""What each rule asks, the gravest first."""

_LEAST_VARIETY = {1: 3, 2: 4, 3: 5}
_LEAST_VARIETY_OTHERWISE = 6


class Finding(NamedTuple):
    """One thing that is wrong with a plan."""

    rule: str
    where: str
    message: str


def check_plan(plan: WorkoutPlan, person: UserProfile) -> tuple[Finding, ...]:
    """Return all that is wrong with a plan for a person; nothing where it is right."""
    limits = limits_for(person)
    findings: list[Finding] = []
    _check_frame(plan, person, findings)
    week = _Week()
    for day in plan.days:
        _check_day(day, person, limits, week, findings)
    _check_volume(plan, week, limits, findings)
    _check_recovery(plan, week, findings)
    least = _LEAST_VARIETY.get(len(plan.days), _LEAST_VARIETY_OTHERWISE)
    if len(week.exercises) < least:
        message = f"{len(week.exercises)} different exercises; allowed is {least} or more"
        findings.append(Finding("variety", "week", message))
    return tuple(findings)


class _Week:
    """Sets added up over a week while its days are checked."""

    __slots__ = ("exercises", "groups", "hard", "volume")

    def __init__(self) -> None:
        self.volume = 0
        self.groups: defaultdict[str, int] = defaultdict(int)
        self.hard: defaultdict[str, int] = defaultdict(int)
        self.exercises: set[str] = set()


def _check_frame(plan: WorkoutPlan, person: UserProfile, findings: list[Finding]) -> None:
    if len(plan.days) != person.days_per_week:
        message = f"{len(plan.days)} days; asked for are {person.days_per_week}"
        findings.append(Finding("days_match", "week", message))
    order = [WEEKDAYS.index(day.weekday) for day in plan.days]
    if any(later <= earlier for earlier, later in pairwise(order)):
        message = f"days are {', '.join(day.weekday for day in plan.days)}; each once, from mon to sun"
        findings.append(Finding("weekday_order", "week", message))
    if plan.goal != person.goal:
        findings.append(Finding("goal_match", "plan", f"goal is {plan.goal}; asked for is {person.goal}"))


def _check_day(day: PlanDay, person: UserProfile, limits: Limits, week: _Week, findings: list[Finding]) -> None:
    sets: dict[Group, float] = {}
    seconds: float = WARM_UP_S
    allowed = limits.restrictions.allowed
    for line in day.exercises:
        week.exercises.add(line.exercise)
        effort = EFFORTS.get(line.exercise)
        if effort is None:
            seconds += line.sets * (3 * line.reps + line.rest_s)
            message = f"{line.exercise!r} is not in the catalogue"
            findings.append(Finding("unknown_exercise", f"{day.weekday} / {line.exercise}", message))
            continue
        if line.exercise not in allowed:
            _explain_forbidden(effort.exercise, day, person, findings)
        bounds = limits.bounds[effort.kind]
        if not bounds.hold(line):
            _explain_bounds(line, effort, bounds, day, findings)
        seconds += line.sets * (line.reps * effort.seconds + line.rest_s)
        weight = line.sets if effort.kind != "steady" else line.sets * max(1, line.reps // 5)
        sets[effort.group] = sets.get(effort.group, 0) + weight
        week.groups[effort.group] += line.sets
        week.volume += line.sets * effort.volume_lanes
        week.hard[day.weekday] += line.sets * effort.hard_lanes
    _check_session(day, seconds, limits, findings)
    if (broken := broken_promise(day.name, sets)) is not None:
        findings.append(Finding("day_name", f"{day.weekday} / {day.name}", broken))


def _explain_bounds(
    line: PlannedExercise, effort: Effort, bounds: Bounds, day: PlanDay, findings: list[Finding]
) -> None:
    if not bounds.sets[0] <= line.sets <= bounds.sets[1]:
        findings.append(_out_of_bounds("sets", "sets", line.sets, bounds.sets, effort, day))
    if not bounds.reps[0] <= line.reps <= bounds.reps[1]:
        findings.append(_out_of_bounds("reps", effort.exercise.unit, line.reps, bounds.reps, effort, day))
    if not bounds.rir[0] <= line.rir <= bounds.rir[1]:
        findings.append(_out_of_bounds("rir", "RIR", line.rir, bounds.rir, effort, day))
    if not bounds.rest_s[0] <= line.rest_s <= bounds.rest_s[1]:
        findings.append(_out_of_bounds("rest", "s of rest", line.rest_s, bounds.rest_s, effort, day))


def _out_of_bounds(
    field: str, unit: str, value: int, allowed: tuple[int, int], effort: Effort, day: PlanDay
) -> Finding:
    message = f"{value} {unit}; allowed is {allowed[0]} to {allowed[1]}"
    return Finding(f"{field}_bounds", f"{day.weekday} / {effort.exercise.name}", message)


def _explain_forbidden(exercise: Exercise, day: PlanDay, person: UserProfile, findings: list[Finding]) -> None:
    where = f"{day.weekday} / {exercise.name}"
    if not any(set(needed) <= set(person.equipment) for needed in exercise.equipment):
        needs = " or ".join(" and ".join(EQUIPMENT[kind].name for kind in needed) for needed in exercise.equipment)
        findings.append(Finding("equipment", where, f"needs {needs}, which is not at hand"))
    if exercise.level == "advanced" and person.experience == "beginner":
        findings.append(Finding("too_advanced", where, "is for advanced people; this is a beginner"))
    if exercise.id not in _medically_allowed(person):
        reasons = "; ".join(reasons_against(person, exercise.id))
        findings.append(Finding("contraindicated", where, f"is ruled out: {reasons}"))


def _medically_allowed(person: UserProfile) -> frozenset[str]:
    """Return what this person could do with all equipment and years of training."""
    anything = {"equipment": tuple(sorted(EQUIPMENT)), "experience": "advanced"}
    return restrictions_for(person.model_copy(update=anything)).allowed


def _check_session(day: PlanDay, seconds: float, limits: Limits, findings: list[Finding]) -> None:
    where = f"{day.weekday} / {day.name}"
    low, high = DAY_EXERCISES
    if not low <= len(day.exercises) <= high:
        message = f"{len(day.exercises)} exercises; allowed is {low} to {high}"
        findings.append(Finding("exercises_per_day", where, message))
    if len({line.exercise for line in day.exercises}) < len(day.exercises):
        counted = Counter(line.exercise for line in day.exercises)
        for exercise in (one for one, times in counted.items() if times > 1):
            name = EXERCISES[exercise].name if exercise in EXERCISES else exercise
            message = f"stands there {counted[exercise]} times; allowed is once"
            findings.append(Finding("repeated_exercise", f"{day.weekday} / {name}", message))
    if seconds > limits.longest_s:
        message = f"takes about {seconds / 60:.0f} minutes; allowed is {limits.session_minutes}"
        findings.append(Finding("session_time", where, message))
    elif seconds < limits.shortest_s:
        message = f"takes about {seconds / 60:.0f} minutes; allowed is {limits.shortest_s / 60:.0f} or more"
        findings.append(Finding("session_too_short", where, message))


def _check_volume(plan: WorkoutPlan, week: _Week, limits: Limits, findings: list[Finding]) -> None:
    if above(week.volume, limits.ceiling):
        for muscle in dict.fromkeys(muscle for effort in _efforts(plan.days) for muscle, _ in effort.volume):
            sets = sets_in(week.volume, muscle)
            if sets > limits.ceiling:
                message = f"{sets:g} sets a week; allowed is at most {limits.ceiling}"
                findings.append(Finding("weekly_volume", muscle, message))
    for group, least in limits.floor.items():
        if week.groups[group] < least:
            message = f"{week.groups[group]} sets a week; allowed is {least} or more"
            findings.append(Finding("weekly_volume", group, message))


def _check_recovery(plan: WorkoutPlan, week: _Week, findings: list[Finding]) -> None:
    for day in plan.days:
        following = WEEKDAYS[(WEEKDAYS.index(day.weekday) + 1) % 7]
        today, tomorrow = week.hard[day.weekday], week.hard.get(following, 0)
        if not above(today, HARD_SETS - 1) & above(tomorrow, HARD_SETS - 1):
            continue
        same_day = [other for other in plan.days if other.weekday == day.weekday]
        for muscle in dict.fromkeys(muscle for effort in _efforts(same_day) for muscle in effort.hard):
            sets, then = sets_in(today, muscle), sets_in(tomorrow, muscle)
            if sets >= HARD_SETS and then >= HARD_SETS:
                both = f"{sets:g} and {then:g} direct sets on days running"
                message = f"{muscle}: {both}; allowed is under {HARD_SETS} on one of them"
                findings.append(Finding("recovery", f"{day.weekday} / {following}", message))


def _efforts(days: Iterable[PlanDay]) -> Iterator[Effort]:
    """Yield what the lines of some days ask for, where the catalogue knows them."""
    return (EFFORTS[line.exercise] for day in days for line in day.exercises if line.exercise in EFFORTS)
