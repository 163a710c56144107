"""Lanes: sets by muscle, all in one number, so that adding up a week is adding numbers.

Every muscle has a lane of 12 bits that counts half sets. A week has 1,008 of them at most, so the
highest bit of a lane is free. Add `margin(most)`, and it is 1 in every lane that holds more than `most` sets.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final, get_args

from shared.coach.catalogue import Muscle

_LANE_BITS: Final = 12
_HIGHEST_BIT: Final = 1 << (_LANE_BITS - 1)
_SHIFTS: Final[dict[str, int]] = {muscle: place * _LANE_BITS for place, muscle in enumerate(get_args(Muscle))}


def lanes(sets: Iterable[tuple[str, float]]) -> int:
    """Return sets by muscle, in steps of half a set, as a number."""
    return sum(round(count * 2) << _SHIFTS[muscle] for muscle, count in sets)


def sets_in(total: int, muscle: str) -> float:
    """Return the sets of a muscle in a number of lanes."""
    return (total >> _SHIFTS[muscle] & (_HIGHEST_BIT - 1)) / 2


@cache
def margin(most: int) -> int:
    """Return what to add to lanes so that the highest bit of each tells whether it held more than `most` sets."""
    return sum(_HIGHEST_BIT - 1 - 2 * most << shift for shift in _SHIFTS.values())


def highest_bits(muscles: Iterable[str]) -> int:
    """Return the highest bits of the lanes of some muscles."""
    return sum(_HIGHEST_BIT << _SHIFTS[muscle] for muscle in muscles)


def above(total: int, most: int) -> int:
    """Return the highest bits of the lanes with more than `most` sets; 0 where there are none."""
    return (total + margin(most)) & _EVERY_HIGHEST_BIT


_EVERY_HIGHEST_BIT: Final = highest_bits(_SHIFTS)
