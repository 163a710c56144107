"""Limits: how much of each kind of exercise is right for a person, and how much of a week.

One table for whoever plans, checks, edits or constrains a decoder. Sets and reps follow the goal and the
experience; restrictions raise the reps, the reps in reserve and the rest, and shorten the session.
Numbers follow common practice (ACSM position stand on progression models in resistance training, 2009).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, get_args

from shared.coach.effort import EFFORTS, KINDS, Group, Kind
from shared.coach.profile import UserProfile
from shared.coach.restrictions import Restrictions, mask_of, restrictions_for
from shared.coach.vocabulary import Experience, Goal

DAY_EXERCISES = (3, 10)
TRAINED_GROUPS: tuple[Group, ...] = ("push", "pull", "legs", "core")
TIME_TOLERANCE = 1.05
SHORTEST_SHARE = 0.5

_MASKS: dict[Group, int] = {
    group: mask_of(effort.id for effort in EFFORTS.values() if effort.group == group) for group in get_args(Group)
}
_RESISTANCE: frozenset[Kind] = frozenset({"heavy", "light", "isolation", "core", "hold"})
_REPETITIVE: frozenset[Kind] = frozenset({"heavy", "light", "isolation", "core"})
_RESTED: frozenset[Kind] = _RESISTANCE | {"burst", "interval"}
_REPS: dict[Kind, tuple[int, int]] = {
    "heavy": (6, 15),
    "light": (6, 20),
    "isolation": (8, 20),
    "core": (6, 25),
    "hold": (10, 75),
    "burst": (5, 25),
    "interval": (15, 60),
    "steady": (3, 60),
    "drill": (4, 20),
    "stretch": (15, 90),
    "flow": (1, 10),
}
_STRENGTH_REPS: dict[Kind, tuple[int, int]] = {"heavy": (3, 6), "light": (5, 15), "isolation": (6, 15)}
_BEGINNER_STRENGTH_REPS = (5, 8)
_REST_S: dict[Kind, int] = {"heavy": 45, "light": 20, "isolation": 20, "core": 15, "hold": 15}
_STRENGTH_REST_S = 120
_SETS = {"beginner": 4, "intermediate": 6, "advanced": 6}
_CEILING = {"beginner": 16, "intermediate": 22, "advanced": 26}
_FLOOR = {"beginner": 4, "intermediate": 6, "advanced": 8}
_WHOLE_WEEK_MINUTES = 180
"""Training time a week from which the floor counts in full."""


class Numbers(Protocol):
    """The numbers of a line, planned or being planned."""

    @property
    def sets(self) -> int: ...
    @property
    def reps(self) -> int: ...
    @property
    def rir(self) -> int: ...
    @property
    def rest_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """The lowest and highest numbers of a line; reps in the exercise's own unit, rest in seconds."""

    sets: tuple[int, int]
    reps: tuple[int, int]
    rir: tuple[int, int]
    rest_s: tuple[int, int]

    def hold(self, line: Numbers) -> bool:
        """Return whether all numbers of a line are within these."""
        return (
            self.sets[0] <= line.sets <= self.sets[1]
            and self.reps[0] <= line.reps <= self.reps[1]
            and self.rir[0] <= line.rir <= self.rir[1]
            and self.rest_s[0] <= line.rest_s <= self.rest_s[1]
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """All that a week for a person has to keep to."""

    restrictions: Restrictions
    bounds: dict[Kind, Bounds]
    ceiling: int
    """Most sets a week for any one muscle."""
    floor: dict[Group, int]
    """Fewest sets a week for each group that the person can train."""
    sizes: dict[Group, int]
    """How many exercises of each group the person may do."""
    session_minutes: int
    """What was asked for, or what restrictions leave of it."""
    longest_s: float
    """The longest that a session may take."""
    shortest_s: float


def limits_for(person: UserProfile) -> Limits:
    """Return what a week for this person has to keep to."""
    return _limits(
        restrictions_for(person), person.goal, person.experience, person.days_per_week, person.session_minutes
    )


@lru_cache(maxsize=256)
def _limits(restrictions: Restrictions, goal: Goal, experience: Experience, days: int, minutes: int) -> Limits:
    sizes = {group: (restrictions.mask & mask).bit_count() for group, mask in _MASKS.items()}
    if restrictions.max_session_minutes is not None:
        minutes = min(minutes, restrictions.max_session_minutes)
    return Limits(
        restrictions=restrictions,
        bounds=_bounds(goal, experience, restrictions.min_rir, restrictions.min_reps, restrictions.min_rest_s),
        ceiling=_CEILING[experience] + (2 if goal == "muscle_gain" else 0),
        floor=_floor(
            "beginner" if restrictions.constraints else experience,
            days * minutes,
            tuple([group for group in TRAINED_GROUPS if sizes[group]]),
        ),
        sizes=sizes,
        session_minutes=minutes,
        longest_s=minutes * 60 * TIME_TOLERANCE,
        shortest_s=minutes * 60 * SHORTEST_SHARE,
    )


@lru_cache(maxsize=1024)
def _floor(experience: Experience, weekly_minutes: int, groups: tuple[Group, ...]) -> dict[Group, int]:
    share = min(1.0, weekly_minutes / _WHOLE_WEEK_MINUTES)
    whole = _FLOOR[experience]
    return {group: max(1, int(share * (whole / 2 if group == "core" else whole))) for group in groups}


@lru_cache(maxsize=1024)
def _bounds(goal: Goal, experience: Experience, min_rir: int, min_reps: int, min_rest_s: int) -> dict[Kind, Bounds]:
    lowest_rir = max(min_rir, 1 if experience == "beginner" else 0)
    return {
        kind: Bounds(
            sets=(1, _SETS[experience]),
            reps=_reps(kind, goal, experience, min_reps if kind in _REPETITIVE else 1),
            rir=(lowest_rir, 5),
            rest_s=(_rest(kind, goal, min_rest_s if kind in _RESTED else 0), 300),
        )
        for kind in KINDS
    }


def _reps(kind: Kind, goal: Goal, experience: Experience, least: int) -> tuple[int, int]:
    low, high = _REPS[kind]
    if goal == "strength":
        low, high = _STRENGTH_REPS.get(kind, (low, high))
        if kind == "heavy" and experience == "beginner":
            low, high = _BEGINNER_STRENGTH_REPS
    return max(low, least), max(high, least + 3 if least > low else high)


def _rest(kind: Kind, goal: Goal, least_s: int) -> int:
    usual = _STRENGTH_REST_S if kind == "heavy" and goal == "strength" else _REST_S.get(kind, 0)
    return max(usual, least_s)
