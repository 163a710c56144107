"""Menu: what a coach would pick from for a person, by movement, as names for a prompt."""

from collections.abc import Callable
from functools import cache, lru_cache
from itertools import islice
from typing import get_args

from shared.coach.catalogue import Pattern
from shared.coach.choices import rank
from shared.coach.effort import EFFORTS, Effort
from shared.coach.profile import UserProfile
from shared.coach.restrictions import restrictions_for
from shared.coach.vocabulary import Experience

Menu = tuple[tuple[str, tuple[str, ...]], ...]


def menu(person: UserProfile, per_pattern: int = 4) -> Menu:
    """Return the names of the best exercises that a person may do, by pattern, of those that have any."""
    return _menu(restrictions_for(person).allowed_in_order, person.experience, per_pattern)


@lru_cache(maxsize=1024)
def _menu(allowed: tuple[str, ...], experience: Experience, per_pattern: int) -> Menu:
    able = frozenset(allowed)
    menu = [
        (label, tuple(islice((name for exercise_id, name in ranked if exercise_id in able), per_pattern)))
        for label, ranked in _ranked(experience)
    ]
    return tuple([(label, names) for label, names in menu if names])


@cache
def _ranked(experience: Experience) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return every pattern's label with its exercises' ids and names, the best first."""
    by_pattern: dict[str, list[Effort]] = {pattern: [] for pattern in get_args(Pattern)}
    for effort in EFFORTS.values():
        by_pattern[effort.exercise.pattern].append(effort)
    return tuple(
        (pattern.replace("_", " "), tuple((e.id, e.exercise.name) for e in sorted(efforts, key=_rank(experience))))
        for pattern, efforts in by_pattern.items()
    )


def _rank(experience: Experience) -> Callable[[Effort], float]:
    return lambda effort: rank(effort, (effort.exercise.pattern,), experience)
