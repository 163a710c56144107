"""Comparing: in which way one plan differs from the one before it."""

from functools import cached_property

from shared.coach.effort import is_counted, session_seconds, weekly_sets
from shared.coach.plan import PlannedExercise, WorkoutPlan


class Comparison:
    """A plan beside the one it was made from."""

    def __init__(self, before: WorkoutPlan, after: WorkoutPlan) -> None:
        self._before = before
        self._after = after

    @property
    def harder(self) -> bool:
        """More effort or more work in one way, and less in none that matters more."""
        more = self._sets > 0 or self._rir < 0 or self._reps > 0 or self._rest < 0
        less = (self._sets < 0 and self._rir >= 0) or (self._rir > 0 and self._sets <= 0)
        return more and not less

    @property
    def easier(self) -> bool:
        """Less effort or less work in one way, and more in none that matters more."""
        less = self._sets < 0 or self._rir > 0 or self._reps < 0 or self._rest > 0
        more = (self._sets > 0 and self._rir <= 0) or (self._rir < 0 and self._sets >= 0)
        return less and not more

    @property
    def more_sets(self) -> bool:
        """More working sets a week."""
        return self._sets > 0

    @property
    def fewer_days(self) -> bool:
        """Fewer days a week."""
        return len(self._after.days) < len(self._before.days)

    @property
    def shorter(self) -> bool:
        """Less time a week, and no session longer than the longest was."""
        before = [session_seconds(day) for day in self._before.days]
        after = [session_seconds(day) for day in self._after.days]
        return sum(after) < sum(before) and max(after) <= max(before)

    @property
    def other_exercises(self) -> bool:
        """Exercises came that were not there."""
        return bool(_exercises(self._after) - _exercises(self._before))

    def less_of(self, exercise: str | None) -> bool:
        """Return whether an exercise stands on fewer days; of none in particular, whether any went."""
        if exercise is None:
            return bool(_exercises(self._before) - _exercises(self._after))
        return _days_with(exercise, self._after) < _days_with(exercise, self._before)

    def moved(self, topic: str | None) -> bool:
        """Return whether training moved from one weekday to another, as "mon>wed" says, or at all."""
        before, after = (tuple(day.weekday for day in plan.days) for plan in (self._before, self._after))
        start, _, target = (topic or "").partition(">")
        if not target:
            return before != after
        return target in after and start not in after

    @cached_property
    def _sets(self) -> int:
        return weekly_sets(self._after) - weekly_sets(self._before)

    @cached_property
    def _rir(self) -> float:
        return _mean_rir(self._after) - _mean_rir(self._before)

    @cached_property
    def _reps(self) -> int:
        return sum(after.reps - before.reps for before, after in self._shared)

    @cached_property
    def _rest(self) -> int:
        return sum(after.rest_s - before.rest_s for before, after in self._shared)

    @cached_property
    def _shared(self) -> list[tuple[PlannedExercise, PlannedExercise]]:
        """Lines of exercises that stand on the same weekday in both plans."""
        lines = {(day.weekday, line.exercise): line for day in self._before.days for line in day.exercises}
        return [
            (lines[key], line)
            for day in self._after.days
            for line in day.exercises
            if (key := (day.weekday, line.exercise)) in lines
        ]


def _mean_rir(plan: WorkoutPlan) -> float:
    counted = [line for day in plan.days for line in day.exercises if is_counted(line.exercise)]
    sets = sum(line.sets for line in counted)
    return round(sum(line.sets * line.rir for line in counted) / sets, 6) if sets else 0.0


def _exercises(plan: WorkoutPlan) -> set[str]:
    return {line.exercise for day in plan.days for line in day.exercises}


def _days_with(exercise: str, plan: WorkoutPlan) -> int:
    return sum(any(line.exercise == exercise for line in day.exercises) for day in plan.days)
