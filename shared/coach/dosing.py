"""Dosing: the sets, reps, RIR and rest that a coach starts from, by goal, experience and kind of exercise.

Always within the limits: whatever restrictions raise, the dose follows.
"""

from dataclasses import dataclass
from functools import lru_cache

from shared.coach.effort import KINDS, Kind
from shared.coach.limits import Bounds, Limits
from shared.coach.vocabulary import Experience, Goal

_Usual = tuple[int, tuple[int, ...], int, int]
_ALIKE: dict[Kind, _Usual] = {
    "core": (3, (10, 12, 15), 2, 45),
    "hold": (3, (20, 30, 40), 2, 45),
    "burst": (3, (8, 10, 12), 3, 60),
    "interval": (4, (20, 30, 40), 3, 60),
    "steady": (1, (10,), 4, 0),
    "drill": (2, (8, 10), 5, 15),
    "stretch": (2, (30, 40), 5, 15),
    "flow": (1, (3, 4), 5, 0),
}
_USUAL: dict[Goal, dict[Kind, _Usual]] = {
    "strength": {
        "heavy": (4, (4, 5), 2, 180),
        "light": (3, (8, 10), 2, 90),
        "isolation": (3, (8, 10), 2, 75),
    },
    "muscle_gain": {
        "heavy": (4, (8, 10), 2, 120),
        "light": (4, (10, 12, 15), 1, 75),
        "isolation": (3, (10, 12, 15), 1, 60),
    },
    "fat_loss": {
        "heavy": (3, (10, 12), 2, 75),
        "light": (3, (12, 15), 2, 60),
        "isolation": (3, (12, 15), 2, 45),
    },
    "general_fitness": {
        "heavy": (3, (8, 10), 3, 90),
        "light": (3, (10, 12), 3, 60),
        "isolation": (3, (10, 12, 15), 2, 60),
    },
}


@dataclass(frozen=True, slots=True)
class Dose:
    """What to start from: most sets when there is time, and equally good numbers of reps."""

    sets: int
    reps: tuple[int, ...]
    rir: int
    rest_s: int


def doses_for(limits: Limits, goal: Goal, experience: Experience) -> dict[Kind, Dose]:
    """Return the dose for each kind of exercise, within the limits."""
    floor = limits.restrictions
    return _doses(goal, experience, tuple(limits.bounds.values()), bool(floor.constraints))


@lru_cache(maxsize=1024)
def _doses(goal: Goal, experience: Experience, bounds: tuple[Bounds, ...], careful: bool) -> dict[Kind, Dose]:
    usual = _ALIKE | _USUAL[goal]
    return {kind: _dose(usual[kind], allowed, experience, careful) for kind, allowed in zip(KINDS, bounds, strict=True)}


def _dose(usual: _Usual, allowed: Bounds, experience: Experience, careful: bool) -> Dose:
    sets, reps, rir, rest_s = usual
    fewer = 1 if sets > 2 and (experience == "beginner" or careful) else 0
    more = 1 if sets > 3 and experience == "advanced" and not careful else 0
    return Dose(
        sets=clamp(sets - fewer + more, allowed.sets),
        reps=tuple(dict.fromkeys(clamp(count, allowed.reps) for count in reps)),
        rir=clamp(rir + (1 if experience == "beginner" else 0), allowed.rir),
        rest_s=clamp(rest_s, allowed.rest_s),
    )


def clamp(value: int, allowed: tuple[int, int]) -> int:
    """Return the allowed number nearest to a value."""
    return min(max(value, allowed[0]), allowed[1])
