"""Grouping: facts about single answers into rates, overall, by slice and by pair of slices."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final, TypeVar

from shared.coach.profile import SliceTags
from shared.eval_report import METRICS, Group, Metric, Rate
from shared.measures import rate

SLICES: Final = tuple(SliceTags.model_fields)
Facts = Mapping[Metric, bool]
_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")


def rate_of(outcomes: Sequence[bool], least: int) -> Rate:
    """Return the share of true ones; it is judged from so many on."""
    found = rate(sum(outcomes), len(outcomes))
    return Rate(
        n=found.n,
        successes=sum(outcomes),
        rate=found.value,
        low=found.low,
        high=found.high,
        judged=found.n >= least,
    )


def group(facts: Sequence[Facts], least: int, slices: Mapping[str, str] | None = None) -> Group:
    """Return the rates of some answers, of those metrics that any of them is about."""
    outcomes = {metric: [one[metric] for one in facts if metric in one] for metric in METRICS}
    rates = {metric: rate_of(found, least) for metric, found in outcomes.items() if found}
    return Group(slices=dict(slices or {}), n=len(facts), rates=rates)


def grouped(items: Iterable[_T], key: Callable[[_T], _K]) -> dict[_K, list[_T]]:
    """Return items by a key, keys in the order in which they come up."""
    found: dict[_K, list[_T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def cells(tags: Sequence[SliceTags], dimensions: int) -> dict[tuple[tuple[str, str], ...], list[int]]:
    """Return the places of the answers to everybody of a slice (or of so many at once), in order of the slices."""
    found: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for names in combinations(SLICES, dimensions):
        values = (tuple((name, str(getattr(one, name))) for name in names) for one in tags)
        inside = grouped(enumerate(values), lambda placed: placed[1])
        found |= {cell: [place for place, _ in inside[cell]] for cell in sorted(inside)}
    return found


def sliced(facts: Sequence[Facts], tags: Sequence[SliceTags], dimensions: int, least: int) -> tuple[Group, ...]:
    """Return the rates of every slice, or of every combination of so many slices that somebody belongs to."""
    return tuple(
        group([facts[place] for place in places], least, dict(cell)) for cell, places in cells(tags, dimensions).items()
    )
