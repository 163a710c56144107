"""Tally: what a week under construction already asks of each muscle, and how much room is left."""

from collections import defaultdict

from shared.coach.effort import HARD_SETS, Effort
from shared.coach.limits import Limits
from shared.coach.vocabulary import WEEKDAYS, Weekday

_NEXT: dict[Weekday, Weekday] = dict(zip(WEEKDAYS, (*WEEKDAYS[1:], WEEKDAYS[0]), strict=True))
_BEFORE: dict[Weekday, Weekday] = {after: day for day, after in _NEXT.items()}


class Line:
    """One line of a day under construction."""

    __slots__ = ("effort", "reps", "rest_s", "rir", "set_seconds", "sets")

    def __init__(self, effort: Effort, sets: int, reps: int, rir: int, rest_s: int) -> None:
        self.effort = effort
        self.sets = sets
        self.rir = rir
        self.rest_s = rest_s
        self.dose(reps)

    def dose(self, reps: int) -> None:
        """Set the reps, and with them how long one set takes, rest included."""
        self.reps = reps
        self.set_seconds = reps * self.effort.seconds + self.rest_s


def lines_seconds(lines: list[Line]) -> float:
    """Return how long lines take together."""
    return sum([line.sets * line.set_seconds for line in lines])


class Tally:
    """Sets by muscle, over the week and day by day."""

    __slots__ = ("_ceiling", "_hard", "_most", "_peak", "_volume", "groups")

    def __init__(self, limits: Limits) -> None:
        self._ceiling = limits.ceiling
        self._most = limits.bounds["heavy"].sets[1]
        self._peak = 0.0
        self._volume: defaultdict[str, float] = defaultdict(float)
        self._hard: dict[Weekday, dict[str, int]] = {day: {} for day in WEEKDAYS}
        self.groups: defaultdict[str, int] = defaultdict(int)
        """Sets a week by group."""

    def room(self, day: Weekday, effort: Effort) -> int:
        """Return how many more sets of an exercise a day can take, for the week's volume and for recovery."""
        most: float = self._most
        if self._peak + most > self._ceiling:
            for muscle, share in effort.volume:
                most = min(most, (self._ceiling - self._volume[muscle]) / share)
        before, after = self._hard[_BEFORE[day]], self._hard[_NEXT[day]]
        if before or after:
            today = self._hard[day]
            for muscle in effort.hard:
                if before.get(muscle, 0) >= HARD_SETS or after.get(muscle, 0) >= HARD_SETS:
                    most = min(most, HARD_SETS - 1 - today.get(muscle, 0))
        return int(most) if most > 0 else 0

    def take(self, day: Weekday, effort: Effort, sets: int) -> None:
        """Count sets of an exercise on a day; a negative number takes them back."""
        self.groups[effort.group] += sets
        for muscle, share in effort.volume:
            volume = self._volume[muscle] = self._volume[muscle] + sets * share
            if volume > self._peak:
                self._peak = volume
        hard = self._hard[day]
        for muscle in effort.hard:
            hard[muscle] = hard.get(muscle, 0) + sets

    def excess(self, muscle: str) -> float:
        """Return by how many sets a muscle's week is above its most; negative where it is below."""
        return self._volume[muscle] - self._ceiling
