"""Measures: quantiles, histograms, rates and means with their intervals, out of counts.

Values are counted, not kept: a measure's memory is bounded by how many different values it takes.
Fractions are counted as whole numbers of `1 / per` (heights in tenths of a centimetre: `per=10`).
Rates have Wilson intervals and their differences Newcombe's, which stay honest near 0 and 1 and in
small groups; means have normal ones.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TypeVar

from shared.reports import Distribution, Estimate, Gap, Histogram

Number = TypeVar("Number", int, float)

Z95 = NormalDist().inv_cdf(0.975)
Z999 = NormalDist().inv_cdf(0.9995)


def quantiles(counts: Mapping[Number, int], shares: Sequence[float]) -> list[Number]:
    """Return, for each ascending share, the smallest value that so many of the values do not exceed."""
    total = sum(counts.values())
    found: list[Number] = []
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        while len(found) < len(shares) and seen >= shares[len(found)] * total:
            found.append(value)
    return found


def distribution(counts: Mapping[int, int], per: int = 1) -> Distribution:
    """Return where counted values lie; zeros where there are none."""
    n = sum(counts.values())
    if not n:
        return Distribution(n=0, min=0, p5=0, p50=0, p95=0, max=0, mean=0)
    low, p5, p50, p95, high = (value / per for value in quantiles(counts, (0, 0.05, 0.5, 0.95, 1)))
    mean = sum(value * count for value, count in counts.items()) / n / per
    return Distribution(n=n, min=low, p5=p5, p50=p50, p95=p95, max=high, mean=round(mean, 4))


def histogram(counts: Mapping[int, int], edges: Sequence[float], per: int = 1) -> Histogram:
    """Return how many values lie between edges; those beyond the outer edges go into the end bins."""
    bins = [0] * (len(edges) - 1)
    for value, count in counts.items():
        bins[min(max(bisect_right(edges, value / per) - 1, 0), len(bins) - 1)] += count
    return Histogram(edges=tuple(edges), counts=tuple(bins))


def even_edges(counts: Mapping[int, int], bins: int = 30) -> list[float]:
    """Return edges of round, equal steps that cover the values with about so many bins."""
    if not counts:
        return [0.0, 1.0]
    low, high = min(counts), max(counts)
    raw = max((high - low) / bins, 1)
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= raw)
    first = math.floor(low / step)
    return [float(i * step) for i in range(first, math.floor(high / step) + 2)]


def rate(successes: int, n: int, z: float = Z95) -> Estimate:
    """Return a rate with its Wilson interval; of nothing, anything from 0 to 1."""
    if not n:
        return Estimate(n=0, value=0, low=0, high=1)
    share, square = successes / n, z * z / n
    centre = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Estimate(n=n, value=share, low=low, high=high)


def rate_gap(ours: tuple[int, int], theirs: tuple[int, int], z: float) -> Gap:
    """Return the difference of two rates, each (successes, n), with Newcombe's interval."""
    a, b = rate(*ours, z), rate(*theirs, z)
    value = a.value - b.value
    below = math.hypot(a.value - a.low, b.high - b.value)
    above = math.hypot(a.high - a.value, b.value - b.low)
    return Gap(value=value, low=value - below, high=value + above)


Moments = tuple[int, float, float]
"""How many values, their sum, and the sum of their squares."""


def mean(moments: Moments) -> Estimate:
    """Return the mean of at least one value with its 95 % interval."""
    n, total, _ = moments
    half = Z95 * math.sqrt(_variance_of_mean(moments))
    return Estimate(n=n, value=total / n, low=total / n - half, high=total / n + half)


def mean_gap(ours: Moments, theirs: Moments, z: float) -> Gap:
    """Return the difference of two means with its interval; the variances may differ."""
    value = ours[1] / ours[0] - theirs[1] / theirs[0]
    half = z * math.sqrt(_variance_of_mean(ours) + _variance_of_mean(theirs))
    return Gap(value=value, low=value - half, high=value + half)


def _variance_of_mean(moments: Moments) -> float:
    n, total, squares = moments
    return max(0.0, squares - total * total / n) / max(n - 1, 1) / n


def chance_deviation(share: float, n: int, z: float = Z999) -> float:
    """Return how far an observed share may be off by chance alone, when n fall independently."""
    return z * math.sqrt(share * (1 - share) / n) if n else 1.0


def stability_index(now: Mapping[str, float], before: Mapping[str, float], floor: float) -> float:
    """Return the population stability index between two sets of shares; none counts less than the floor."""
    index = 0.0
    for name in sorted({*now, *before}):
        a, b = max(now.get(name, 0), floor), max(before.get(name, 0), floor)
        index += (a - b) * math.log(a / b)
    return index


def stability_by_chance(bins: int, n: int, m: int) -> float:
    """Return the index that samples of n and m from one population exceed 1 time in 100 (chi-squared)."""
    degrees = max(bins - 1, 1)
    spread = 2 / (9 * degrees)
    chi_squared = degrees * (1 - spread + NormalDist().inv_cdf(0.99) * math.sqrt(spread)) ** 3
    return chi_squared * (1 / n + 1 / m)
