"""Pairing: two models on the same prompts, pair by pair; what one wins where the other loses.

Only discordant pairs tell two rates apart: McNemar's exact test counts them. The interval of the difference is
Newcombe's for paired rates (his method 10), which is made of two Wilson intervals and so stays wider than
nothing where no pair differs. Losses are compared by a paired bootstrap over examples.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from shared.coach.profile import SliceTags
from shared.eval_report import (
    LOWER_IS_BETTER,
    METRICS,
    Comparison,
    Loss,
    LossComparison,
    Metric,
    Mode,
    Other,
    Outcome,
)
from shared.measures import rate
from trainer_job.evaluation.grouping import Facts, cells

SAMPLES: Final = 2000
Pairs = tuple[int, int, int, int]
"""Both right, only ours, only theirs, neither."""
ExampleLoss = tuple[float, int]
"""The sum of the losses of an example's tokens, and how many there are."""


def mcnemar(only_ours: int, only_theirs: int) -> float:
    """Return the chance of discordant pairs at least so lopsided, if neither model were better; two-sided, exact."""
    n = only_ours + only_theirs
    tail = sum(math.comb(n, k) for k in range(min(only_ours, only_theirs) + 1))
    return min(1.0, 2 * tail / 2**n)


def paired_interval(pairs: Pairs) -> tuple[float, float]:
    """Return Newcombe's 95 % interval of the difference between two paired rates; of nothing, anything."""
    both, ours, theirs, _ = pairs
    n = sum(pairs)
    if not n:
        return -1.0, 1.0
    a, b = rate(both + ours, n), rate(both + theirs, n)
    phi = _correlation(pairs)
    difference = (ours - theirs) / n
    low = _root(a.value - a.low, b.high - b.value, phi)
    high = _root(a.high - a.value, b.value - b.low, phi)
    return max(-1.0, difference - low), min(1.0, difference + high)


def _root(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _correlation(pairs: Pairs) -> float:
    """Return how far the two models succeed on the same prompts, corrected towards 0 as Newcombe does."""
    both, ours, theirs, neither = pairs
    margins = (both + ours) * (theirs + neither) * (both + theirs) * (ours + neither)
    if not margins:
        return 0.0
    cross = both * neither - ours * theirs
    if cross > 0:
        cross = max(cross - sum(pairs) // 2, 0)
    return cross / math.sqrt(margins)


def compare(
    other: Other,
    mode: Mode,
    ours: Sequence[Facts],
    theirs: Sequence[Facts],
    tags: Sequence[SliceTags],
    least: int,
) -> list[Comparison]:
    """Return every comparison of two models' answers to the same prompts: overall, and by slice.

    Pairs of slices stand there where they are judged; there are too many of the others.
    """
    pairs = {cell: inside for cell, inside in cells(tags, 2).items() if len(inside) >= least}
    everybody: dict[tuple[tuple[str, str], ...], list[int]] = {(): list(range(len(ours)))}
    places = everybody | cells(tags, 1) | pairs
    return [
        one
        for cell, inside in places.items()
        for metric in METRICS
        if (one := _compare(other, mode, metric, dict(cell), [(ours[at], theirs[at]) for at in inside], least))
    ]


def _compare(
    other: Other,
    mode: Mode,
    metric: Metric,
    slices: Mapping[str, str],
    answers: Sequence[tuple[Facts, Facts]],
    least: int,
) -> Comparison | None:
    outcomes = [(ours[metric], theirs[metric]) for ours, theirs in answers if metric in ours and metric in theirs]
    if not outcomes:
        return None
    pairs = tuple(outcomes.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False)))
    both, only_ours, only_theirs, neither = pairs
    low, high = paired_interval((both, only_ours, only_theirs, neither))
    judged = len(outcomes) >= least
    return Comparison(
        other=other,
        mode=mode,
        metric=metric,
        slices=dict(slices),
        n=len(outcomes),
        both=both,
        only_ours=only_ours,
        only_theirs=only_theirs,
        neither=neither,
        difference=(only_ours - only_theirs) / len(outcomes),
        low=low,
        high=high,
        p_value=mcnemar(only_ours, only_theirs),
        judged=judged,
        outcome=_outcome(metric, low, high) if judged else "not_judged",
    )


def _outcome(metric: Metric, low: float, high: float) -> Outcome:
    if low <= 0 <= high:
        return "no_difference"
    return "better" if (low > 0) != (metric in LOWER_IS_BETTER) else "worse"


def loss_of(losses: Sequence[ExampleLoss], seed: int) -> Loss:
    """Return the loss per token over some examples, with its bootstrap interval."""
    sums, counts = _columns(losses)
    picked = _picks(len(losses), f"loss:{seed}")
    low, high = np.quantile(sums[picked].sum(1) / counts[picked].sum(1), [0.025, 0.975])
    return Loss(
        examples=len(losses),
        tokens=int(counts.sum()),
        value=float(sums.sum() / counts.sum()),
        low=float(low),
        high=float(high),
    )


def compare_losses(
    other: Other, ours: Sequence[ExampleLoss], theirs: Sequence[ExampleLoss], seed: int
) -> LossComparison:
    """Return how two models' losses on the same examples differ."""
    (a, counts), (b, others) = _columns(ours), _columns(theirs)
    picked = _picks(len(ours), f"losses:{seed}")
    differences = a[picked].sum(1) / counts[picked].sum(1) - b[picked].sum(1) / others[picked].sum(1)
    low, high = np.quantile(differences, [0.025, 0.975])
    beyond = min(float((differences <= 0).mean()), float((differences >= 0).mean()))
    return LossComparison(
        other=other,
        examples=len(ours),
        difference=float(a.sum() / counts.sum() - b.sum() / others.sum()),
        low=float(low),
        high=float(high),
        p_value=min(1.0, 2 * max(beyond, 1 / SAMPLES)),
    )


_Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
_Places = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def _columns(losses: Sequence[ExampleLoss]) -> tuple[_Floats, _Floats]:
    table = np.array(losses, dtype=np.float64)
    return table[:, 0], table[:, 1]


def _picks(n: int, seed: str) -> _Places:
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    return rng.integers(0, n, size=(SAMPLES, n))
