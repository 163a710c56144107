"""Tally: what a week under construction already asks of each muscle, and how much room is left."""

from collections import defaultdict

from shared.coach.effort import HARD_SETS, Effort
from shared.coach.lanes import margin, sets_in
from shared.coach.limits import Limits
from shared.coach.vocabulary import WEEKDAYS, Weekday

_NEXT: dict[Weekday, Weekday] = dict(zip(WEEKDAYS, (*WEEKDAYS[1:], WEEKDAYS[0]), strict=True))
_BEFORE: dict[Weekday, Weekday] = {after: day for day, after in _NEXT.items()}
_HARD_MARGIN = margin(HARD_SETS - 1)


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

    __slots__ = ("_ceiling", "_hard", "_most", "_volume", "_volume_margin", "groups")

    def __init__(self, limits: Limits) -> None:
        self._ceiling = limits.ceiling
        self._most = limits.bounds["heavy"].sets[1]
        self._volume = 0
        self._volume_margin = margin(limits.ceiling)
        self._hard: dict[Weekday, int] = dict.fromkeys(WEEKDAYS, 0)
        self.groups: defaultdict[str, int] = defaultdict(int)
        """Sets a week by group."""

    def room(self, day: Weekday, effort: Effort) -> int:
        """Return how many more sets of an exercise a day can take, for the week's volume and for recovery."""
        most, hard = self._most, self._hard
        volume = self._volume + self._volume_margin
        while most and (volume + most * effort.volume_lanes) & effort.volume_bits:
            most -= 1
        if effort.hard_bits:
            tired = ((hard[_BEFORE[day]] + _HARD_MARGIN) | (hard[_NEXT[day]] + _HARD_MARGIN)) & effort.hard_bits
            while tired and most and (hard[day] + _HARD_MARGIN + most * effort.hard_lanes) & tired:
                most -= 1
        return most

    def take(self, day: Weekday, effort: Effort, sets: int) -> None:
        """Count sets of an exercise on a day; a negative number takes them back."""
        self.groups[effort.group] += sets
        self._volume += sets * effort.volume_lanes
        self._hard[day] += sets * effort.hard_lanes

    def excess(self, muscle: str) -> float:
        """Return by how many sets a muscle's week is above its most; negative where it is below."""
        return sets_in(self._volume, muscle) - self._ceiling
