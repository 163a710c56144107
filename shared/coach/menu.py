"""Menu: what a coach would pick from for a person, by movement, as names for a prompt."""

from functools import cache, lru_cache
from itertools import islice
from typing import get_args

from shared.coach.catalogue import Pattern
from shared.coach.choices import rank
from shared.coach.effort import EFFORTS, Effort
from shared.coach.profile import UserProfile
from shared.coach.restrictions import mask_of, restrictions_for
from shared.coach.vocabulary import Experience

Menu = tuple[tuple[str, tuple[str, ...]], ...]


def menu(person: UserProfile, per_pattern: int = 4) -> Menu:
    """Return the names of the best exercises that a person may do, by pattern, of those that have any."""
    allowed, experience = restrictions_for(person).mask, person.experience
    return tuple(
        [
            (label, _best(pattern, able, experience, per_pattern))
            for pattern, label, mask in _patterns()
            if (able := mask & allowed)
        ]
    )


@lru_cache(maxsize=2048)
def _best(pattern: Pattern, able: int, experience: Experience, most: int) -> tuple[str, ...]:
    """Return the names of the best of a pattern's exercises that somebody is able to do."""
    names = (name for bit, name in _ranked(pattern, experience) if bit & able)
    return tuple(islice(names, most))


@cache
def _ranked(pattern: Pattern, experience: Experience) -> tuple[tuple[int, str], ...]:
    """Return the bits and names of a pattern's exercises, the best first."""
    efforts = sorted(_efforts(pattern), key=lambda effort: rank(effort, (pattern,), experience))
    return tuple((mask_of((effort.id,)), effort.exercise.name) for effort in efforts)


@cache
def _patterns() -> list[tuple[Pattern, str, int]]:
    """Return the patterns with their labels and their exercises as a mask."""
    patterns: tuple[Pattern, ...] = get_args(Pattern)
    return [(one, one.replace("_", " "), mask_of(effort.id for effort in _efforts(one))) for one in patterns]


def _efforts(pattern: Pattern) -> list[Effort]:
    return [effort for effort in EFFORTS.values() if effort.exercise.pattern == pattern]
