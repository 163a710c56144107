"""Planner: the rule-based coach's plan for a person.

make_plan fills a split with exercises that the person may do, doses them, and spreads the sets so that the
session fits the time and the week the muscles. It is a function of the profile and `variant`: another
variant gives another, equally good plan. The checker finds nothing wrong with any of them.
"""

from collections.abc import Callable, Iterable
from math import ceil
from random import Random

from shared.coach.choices import Slot, choices_for
from shared.coach.dosing import doses_for
from shared.coach.effort import WARM_UP_S, Effort, Group
from shared.coach.limits import DAY_EXERCISES, Limits, limits_for
from shared.coach.plan import PlanDay, WorkoutPlan, planned
from shared.coach.profile import UserProfile
from shared.coach.splits import SESSIONS, SessionPlan, split
from shared.coach.tally import Line, Tally, lines_seconds
from shared.coach.vocabulary import Goal

_MOBILITY_AGE = 55
_SLOTS_BY_MINUTES = ((30, 4), (45, 5), (60, 6), (75, 7))
_MOST_SLOTS = 8
_LONGEST_STEADY_MIN = 45
_LONGEST_INTENSE_MIN = 15
_FEWEST_SLOTS = 4
_AEROBIC_MINUTES = 30
_AEROBIC_SHARE = 0.2
_AEROBIC_FOCUSES = frozenset({"full", "upper", "lower", "push", "legs"})
_EASY_FOCUSES = frozenset({"cardio", "mobility"})
_STEADY_STEP_MIN = 5
"""Steady cardio is told in steps of five minutes: nobody walks for 27."""
_ROOMY_MINUTES = 40
"""From so long a session on, two sets of an exercise come before one more exercise."""
_TRIES_FOR_NEW = 8
_SLACK_S = 60
_ANYTHING: tuple[Slot, ...] = ("mobility", "core", "easy_cardio", "squat", "row", "press")

_GOAL_NAMES: dict[Goal, tuple[str, ...]] = {
    "strength": ("Strength", "Get Stronger", "Strength Base", "Strong Foundations"),
    "muscle_gain": ("Muscle Gain", "Build Muscle", "Hypertrophy", "Size and Strength"),
    "fat_loss": ("Fat Loss", "Lean and Fit", "Lose Fat, Keep Muscle", "Fat Loss and Fitness"),
    "general_fitness": ("General Fitness", "Fit for Life", "All-Round Fitness", "Everyday Fitness"),
}
Chance = Callable[[], float]
_NAME_FORMS = (
    "{goal}, {days} days of {minutes} min",
    "{days}-day {goal}, {minutes} min a day",
    "{goal}: {days} days a week, {minutes} min each",
    "{goal} in {days} days of {minutes} min",
)


def make_plan(person: UserProfile, variant: int = 0) -> WorkoutPlan:
    """Return a plan that is right for a person; another variant gives another one."""
    chance = Random(f"{person.user_id}:plan:{variant}").random
    limits = limits_for(person)
    week = _Week(person, limits, chance)
    sessions = split(person.days_per_week, person.goal, person.experience, limits.sizes, chance())
    days = [week.fill(_Day(session)) for session in sessions]
    week.raise_to_floor(days)
    name = _plan_name(person, limits.session_minutes, chance())
    return WorkoutPlan(name=name, goal=person.goal, days=tuple([day.planned() for day in days]))


class _Day:
    """A session under construction."""

    __slots__ = ("exercises", "focus", "lines", "name", "slots", "weekday")

    def __init__(self, session: SessionPlan) -> None:
        variations = SESSIONS[session.focus]
        self.weekday = session.weekday
        self.focus = session.focus
        self.name = session.name
        self.slots = variations[session.variation % len(variations)]
        self.lines: list[Line] = []
        self.exercises: set[str] = set()

    def planned(self) -> PlanDay:
        lines = [planned(line.effort.id, line.sets, line.reps, line.rir, line.rest_s) for line in self.lines]
        return PlanDay(weekday=self.weekday, name=self.name, exercises=tuple(lines))


class _Week:
    """A week under construction: what everything in it has to share."""

    def __init__(self, person: UserProfile, limits: Limits, chance: Chance) -> None:
        self._choices = choices_for(limits.restrictions.allowed, person.experience)
        self._limits = limits
        self._chance = chance
        self._doses = doses_for(limits, person.goal, person.experience)
        self._tally = Tally(limits)
        self._used: set[str] = set()
        self._minutes = limits.session_minutes
        self._budget_s = _session_budget_s(self._minutes)
        self._most_slots = next((most for under, most in _SLOTS_BY_MINUTES if self._minutes < under), _MOST_SLOTS)
        self._aerobic_goal = person.goal in {"fat_loss", "general_fitness"} and self._minutes >= _AEROBIC_MINUTES
        self._loosens = person.age >= _MOBILITY_AGE or bool(limits.restrictions.constraints)

    def fill(self, day: _Day) -> _Day:
        """Fill one session: choose exercises, give them sets, and use the time that is left."""
        aerobic = self._aerobic_goal and day.focus in _AEROBIC_FOCUSES
        budget_s = self._budget_s * (1 - _AEROBIC_SHARE if aerobic else 1)
        self._choose(day, day.slots[: self._most_slots], budget_s)
        if self._loosens and day.focus not in _EASY_FOCUSES and self._most_slots > _FEWEST_SLOTS:
            self._add(day, "mobility")
        self._give_sets(day, budget_s)
        while len(day.lines) < DAY_EXERCISES[0] and self._add_anything(day):
            pass
        self._use_time(day, aerobic or day.focus == "cardio")
        return day

    def _choose(self, day: _Day, slots: Iterable[Slot], budget_s: float) -> None:
        """Add exercises until one set of each, or two where there is time, takes all of the budget."""
        least = 2 if self._minutes >= _ROOMY_MINUTES else 1
        for slot in slots:
            line = self._add(day, slot)
            if line is None:
                continue
            budget_s -= line.set_seconds * min(least, line.sets)
            if budget_s < 0 and len(day.lines) > DAY_EXERCISES[0]:
                day.lines.pop()
                day.exercises.discard(line.effort.id)
                return

    def _add(self, day: _Day, slot: Slot) -> Line | None:
        """Add an exercise with its full dose, its sets not yet counted."""
        chance = self._chance
        effort = self._candidate(day, slot)
        if effort is None:
            return None
        dose = self._doses[effort.kind]
        reps = dose.reps[int(chance() * len(dose.reps))]
        line = Line(effort, dose.sets, reps, dose.rir, dose.rest_s)
        day.lines.append(line)
        day.exercises.add(effort.id)
        self._used.add(effort.id)
        return line

    def _candidate(self, day: _Day, slot: Slot) -> Effort | None:
        """Return what fills a slot best: one that is new to the week, where that is easily found."""
        again: Effort | None = None
        for tried, effort in enumerate(self._choices.fill(slot, self._chance())):
            if effort.id in day.exercises or not self._tally.room(day.weekday, effort):
                continue
            if effort.id not in self._used:
                return effort if again is None or tried <= _TRIES_FOR_NEW else again
            again = again or effort
        return again

    def _give_sets(self, day: _Day, budget_s: float) -> None:
        """Turn full doses into as many sets as time, volume and recovery allow, evenly."""
        wanted = [line.sets for line in day.lines]
        level = _level(day.lines, budget_s)
        for line in day.lines:
            line.sets = min(line.sets, level, self._tally.room(day.weekday, line.effort))
            self._tally.take(day.weekday, line.effort, line.sets)
            budget_s -= line.sets * line.set_seconds
        for line, most in zip(day.lines, wanted, strict=True):
            if 0 < line.sets < most and line.set_seconds <= budget_s and self._add_set(day, line):
                budget_s -= line.set_seconds
        day.lines = [line for line in day.lines if line.sets]

    def _add_set(self, day: _Day, line: Line) -> bool:
        """Add a set to a line where the week has room for it."""
        if not self._tally.room(day.weekday, line.effort):
            return False
        line.sets += 1
        self._tally.take(day.weekday, line.effort, 1)
        return True

    def _add_anything(self, day: _Day) -> bool:
        """Add one more exercise of any kind, with a single set; False where there is none left."""
        for slot in _ANYTHING:
            line = self._add(day, slot)
            if line is not None:
                line.sets = 1
                self._tally.take(day.weekday, line.effort, 1)
                return True
        return False

    def _use_time(self, day: _Day, aerobic: bool) -> None:
        """Spend the time that is left on steady cardio where it helps, or where the session is too short."""
        left_s = self._budget_s - lines_seconds(day.lines)
        missing_s = left_s + _SLACK_S - (self._budget_s + WARM_UP_S - self._limits.shortest_s)
        wanted_s = left_s if aerobic else missing_s
        if missing_s > 0 or wanted_s >= _STEADY_STEP_MIN * 60:
            steps = max(int(wanted_s // (_STEADY_STEP_MIN * 60)), ceil(missing_s / (_STEADY_STEP_MIN * 60)), 1)
            missing_s -= self._lengthen_cardio(day, steps * _STEADY_STEP_MIN)
        while missing_s > 0 and (gained_s := self._lengthen(day)):
            missing_s -= gained_s

    def _lengthen_cardio(self, day: _Day, minutes: int) -> float:
        """Make steady cardio some minutes longer, or add it; returns the seconds gained."""
        line = next((line for line in day.lines if line.effort.kind == "steady"), None)
        before = line.reps if line else 0
        if line is None and len(day.lines) < DAY_EXERCISES[1]:
            line = self._add(day, "easy_cardio")
        if line is None:
            return 0.0
        line.sets = 1
        longest = _LONGEST_INTENSE_MIN if line.effort.exercise.intensity == "high" else _LONGEST_STEADY_MIN
        line.dose(max(before, min(before + minutes, longest)))
        return (line.reps - before) * 60.0

    def _lengthen(self, day: _Day) -> float:
        """Add a set somewhere, or else an exercise; returns the seconds gained, 0 where nothing can grow."""
        for line in sorted(day.lines, key=lambda line: line.sets):
            most = self._limits.bounds[line.effort.kind].sets[1]
            if line.effort.counted and line.sets < most and self._add_set(day, line):
                return line.set_seconds
        if len(day.lines) < DAY_EXERCISES[1] and self._add_anything(day):
            return day.lines[-1].set_seconds
        return 0.0

    def raise_to_floor(self, days: list[_Day]) -> None:
        """Add sets where a group would get less than the week's least."""
        for group, least in self._limits.floor.items():
            if self._tally.groups[group] < least:
                for day in days:
                    self._raise_group(day, group, least)

    def _raise_group(self, day: _Day, group: Group, least: int) -> None:
        spare_s = self._limits.longest_s - WARM_UP_S - lines_seconds(day.lines)
        for line in (line for line in day.lines if line.effort.group == group):
            most = self._limits.bounds[line.effort.kind].sets[1]
            while self._tally.groups[group] < least and line.sets < most and line.set_seconds <= spare_s:
                if not self._add_set(day, line):
                    break
                spare_s -= line.set_seconds


def _session_budget_s(minutes: int) -> float:
    """Return how long the exercises of a session may take; nobody needs all of two hours."""
    return min(0.97 * minutes, 30 + 0.55 * minutes) * 60 - WARM_UP_S


def _level(lines: list[Line], budget_s: float) -> int:
    """Return the most sets that every exercise can have, up to its own most, within the time; at least 1."""
    for level in range(5, 1, -1):
        if sum([line.set_seconds * min(level, line.sets) for line in lines]) <= budget_s:
            return level
    return 1


def _plan_name(person: UserProfile, minutes: int, chance: float) -> str:
    goals = _GOAL_NAMES[person.goal]
    goal = goals[int(chance * len(goals))]
    form = _NAME_FORMS[int(chance * 997) % len(_NAME_FORMS)]
    return form.format(goal=goal, days=person.days_per_week, minutes=minutes)
