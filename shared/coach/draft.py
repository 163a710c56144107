"""Draft: a plan being changed by a coach, who remembers what it was and why each thing changed.

Every operation keeps what it can of the week: sets go up only where time, volume and recovery allow, and
down only as far as the week's least. `changes` tells what was done as edits.
"""

from collections.abc import Callable, Iterator
from typing import Literal, get_args

from shared.coach.choices import Slot, choices_for, slot_for
from shared.coach.dosing import clamp, doses_for
from shared.coach.effort import EFFORTS, WARM_UP_S, Effort, converted
from shared.coach.limits import DAY_EXERCISES, Bounds, Limits, limits_for
from shared.coach.plan import PlanDay, PlannedExercise, WorkoutPlan, planned
from shared.coach.profile import UserProfile
from shared.coach.tally import Line, Tally, lines_seconds
from shared.coach.vocabulary import WEEKDAYS, Weekday

Field = Literal["sets", "reps", "rir", "rest"]
FIELDS: tuple[Field, ...] = get_args(Field)


class DraftLine(Line):
    """A line of a day, with what it was, if anything, and the reasons for what changed."""

    __slots__ = ("reasons", "was")

    def __init__(
        self, effort: Effort, sets: int, reps: int, rir: int, rest_s: int, was: PlannedExercise | None = None
    ) -> None:
        super().__init__(effort, sets, reps, rir, rest_s)
        self.was = was
        self.reasons: dict[str, str] = {}

    @property
    def seconds(self) -> float:
        """How long all its sets take."""
        return self.sets * self.set_seconds


class DraftDay:
    """A day of the week, with the lines that have gone from it."""

    __slots__ = ("gone", "known", "lines", "name", "to", "weekday")

    def __init__(self, day: PlanDay) -> None:
        self.weekday: Weekday = day.weekday
        self.to: Weekday = day.weekday
        self.name = day.name
        self.lines = [_line(line) for line in day.exercises if line.exercise in EFFORTS]
        self.known = {line.exercise for line in day.exercises}
        """Everything that stands in it or ever did; an exercise comes back under no other number."""
        self.gone: list[DraftLine] = []

    @property
    def seconds(self) -> float:
        """How long it takes, warm-up included."""
        return WARM_UP_S + lines_seconds(list(self.lines))


def _line(line: PlannedExercise) -> DraftLine:
    return DraftLine(EFFORTS[line.exercise], line.sets, line.reps, line.rir, line.rest_s, was=line)


class Draft:
    """A week being changed for a person."""

    def __init__(self, plan: WorkoutPlan, person: UserProfile, chance: Callable[[], float]) -> None:
        self.limits: Limits = limits_for(person)
        self.choices = choices_for(self.limits.restrictions.allowed, person.experience)
        self.chance = chance
        self._plan = plan
        self._doses = doses_for(self.limits, person.goal, person.experience)
        self.days = [DraftDay(day) for day in plan.days]
        self.dropped: list[tuple[DraftDay, str]] = []
        self.moved: list[tuple[DraftDay, str]] = []
        self.tally = Tally(self.limits)
        for day, line in self.lines():
            self.tally.take(day.to, line.effort, line.sets)

    def lines(self) -> Iterator[tuple[DraftDay, DraftLine]]:
        """Yield every line with its day, in order."""
        for day in self.days:
            for line in day.lines:
                yield day, line

    def bounds(self, line: DraftLine) -> Bounds:
        """Return what the numbers of a line may be."""
        return self.limits.bounds[line.effort.kind]

    def plan(self) -> WorkoutPlan:
        """Return the plan as it would be now."""
        days = [
            PlanDay(
                weekday=day.to,
                name=day.name,
                exercises=tuple(
                    [planned(line.effort.id, line.sets, line.reps, line.rir, line.rest_s) for line in day.lines]
                ),
            )
            for day in sorted(self.days, key=lambda day: WEEKDAYS.index(day.to))
        ]
        return WorkoutPlan(name=self._plan.name, goal=self._plan.goal, days=tuple(days))

    def set_sets(self, day: DraftDay, line: DraftLine, sets: int, reason: str) -> None:
        """Give a line another number of sets, whatever the week says to it."""
        self.tally.take(day.to, line.effort, sets - line.sets)
        line.sets = sets
        line.reasons["sets"] = reason

    def raise_sets(self, day: DraftDay, line: DraftLine, reason: str) -> bool:
        """Add a set where bounds, time, volume and recovery allow it."""
        fits = (
            line.sets < self.bounds(line).sets[1]
            and day.seconds + line.set_seconds <= self.limits.longest_s
            and self.tally.room(day.to, line.effort) > 0
        )
        if fits:
            self.set_sets(day, line, line.sets + 1, reason)
        return fits

    def lower_sets(self, day: DraftDay, line: DraftLine, reason: str, least: int = 1) -> bool:
        """Take a set away where the week's least and the shortest session allow it."""
        group = line.effort.group
        fits = (
            line.sets > least
            and day.seconds - line.set_seconds >= self.limits.shortest_s
            and self.tally.groups[group] > self.limits.floor.get(group, 0)
        )
        if fits:
            self.set_sets(day, line, line.sets - 1, reason)
        return fits

    def set_number(self, line: DraftLine, field: Field, value: int, reason: str) -> bool:
        """Give a line other reps, RIR or rest, as near as its bounds allow; False where nothing changes."""
        bounds = self.bounds(line)
        if field == "reps":
            value, before = clamp(value, bounds.reps), line.reps
            line.dose(value)
        elif field == "rir":
            value, before = clamp(value, bounds.rir), line.rir
            line.rir = value
        else:
            value, before = clamp(value, bounds.rest_s), line.rest_s
            line.rest_s = value
            line.dose(line.reps)
        if value != before:
            line.reasons[field] = reason
        return value != before

    def fit_numbers(self, day: DraftDay, line: DraftLine, reason: str) -> None:
        """Bring every number of a line into its bounds."""
        if self.bounds(line).hold(line):
            return
        self.set_number(line, "reps", line.reps, reason)
        self.set_number(line, "rir", line.rir, reason)
        self.set_number(line, "rest", line.rest_s, reason)
        sets = clamp(line.sets, self.bounds(line).sets)
        if sets != line.sets:
            self.set_sets(day, line, sets, reason)

    def swap(self, day: DraftDay, line: DraftLine, reason: str, slot: Slot | None = None) -> bool:
        """Put the next best exercise in a line's place; False where there is none."""
        self.tally.take(day.to, line.effort, -line.sets)
        for effort in self.choices.fill(slot or slot_for(line.effort), self.chance()):
            room = self.tally.room(day.to, effort)
            if effort.id not in day.known and room:
                reps = converted(line.reps, line.effort.exercise, effort.exercise)
                line.effort = effort
                line.sets = min(line.sets, room)
                line.dose(reps)
                line.reasons["swap"] = reason
                day.known.add(effort.id)
                self.tally.take(day.to, effort, line.sets)
                self.fit_numbers(day, line, reason)
                return True
        self.tally.take(day.to, line.effort, line.sets)
        return False

    def add(self, day: DraftDay, slot: Slot, sets: int, reason: str) -> DraftLine | None:
        """Add an exercise where the day has a place, time and room for it; None where it has not."""
        if len(day.lines) >= DAY_EXERCISES[1]:
            return None
        spare_s = self.limits.longest_s - day.seconds
        for effort in self.choices.fill(slot, self.chance()):
            if effort.id in day.known:
                continue
            dose = self._doses[effort.kind]
            line = DraftLine(effort, min(sets, dose.sets), dose.reps[0], dose.rir, dose.rest_s)
            line.sets = min(line.sets, self.tally.room(day.to, effort), int(spare_s // line.set_seconds))
            if line.sets > 0:
                line.reasons["add"] = reason
                day.lines.append(line)
                day.known.add(effort.id)
                self.tally.take(day.to, effort, line.sets)
                return line
        return None

    def drop(self, day: DraftDay, line: DraftLine, reason: str) -> None:
        """Take an exercise out of a day."""
        day.lines.remove(line)
        self.tally.take(day.to, line.effort, -line.sets)
        if line.was is not None:
            line.reasons["remove"] = reason
            day.gone.append(line)

    def drop_day(self, day: DraftDay, reason: str) -> None:
        """Take a day out of the week."""
        for line in day.lines:
            self.tally.take(day.to, line.effort, -line.sets)
        self.days.remove(day)
        self.dropped.append((day, reason))

    def move_day(self, day: DraftDay, to: Weekday, reason: str) -> None:
        """Train a day's session on another day of the week."""
        for line in day.lines:
            self.tally.take(day.to, line.effort, -line.sets)
            self.tally.take(to, line.effort, line.sets)
        day.to = to
        self.moved.append((day, reason))
