"""Shift: how differently a dataset is distributed from the previous run's of the same config.

A report carries its own marginals, so the next run needs no other file. Lengths are cut where the
previous run cut them, or at this run's deciles where there is none.
"""

from collections import Counter

from functions.anomalies.tally import SLICES, Tally
from shared.measures import histogram, quantiles, stability_by_chance, stability_index
from shared.reports import AnomalyReport, Marginal, Shift

DECILES = tuple(i / 10 for i in range(1, 10))
MAX_CHARS = 10**9


def marginals(tally: Tally, people: int, previous: AnomalyReport | None) -> dict[str, Marginal]:
    """Return the distribution of prompt types, slices and lengths over so many people."""
    found = {name: _words(tally.by_column(name), people) for name in ("prompt_type", *SLICES)}
    lengths = {"instruction_chars": tally.instruction_chars, "response_chars": tally.response_chars}
    for name, counts in lengths.items():
        before = previous.marginals.get(name) if previous else None
        found[name] = _numbers(counts, people, before.edges if before else _deciles(counts))
    return found


def shift(now: dict[str, Marginal], previous: AnomalyReport | None) -> dict[str, Shift]:
    """Return the stability index of every marginal that both runs have."""
    if previous is None:
        return {}
    return {name: _shift(now[name], previous.marginals[name]) for name in now if name in previous.marginals}


def _shift(now: Marginal, before: Marginal) -> Shift:
    floor = 0.5 / min(now.n, before.n)
    bins = len({*now.shares, *before.shares})
    return Shift(
        psi=round(stability_index(now.shares, before.shares, floor), 6),
        by_chance=round(stability_by_chance(bins, now.n, before.n), 6),
    )


def _words(counts: Counter[str], people: int) -> Marginal:
    total = max(counts.total(), 1)
    shares = {name: round(count / total, 6) for name, count in sorted(counts.items())}
    return Marginal(n=max(people, 1), shares=shares)


def _numbers(counts: Counter[int], people: int, edges: tuple[float, ...]) -> Marginal:
    bins = histogram(counts, (0, *edges, MAX_CHARS)).counts
    total = max(sum(bins), 1)
    shares = {f"{i:02}": round(count / total, 6) for i, count in enumerate(bins)}
    return Marginal(n=max(people, 1), shares=shares, edges=edges)


def _deciles(counts: Counter[int]) -> tuple[float, ...]:
    return tuple(sorted({*quantiles(counts, DECILES)}))
