"""Outliers: responses far longer or shorter than others of their kind.

Measured in log length against the median, in units of the median absolute deviation, so that the
outliers themselves do not widen what counts as usual.
"""

import math
from collections import Counter

from functions.anomalies.tally import Tally
from shared.measures import quantiles
from shared.reports import LengthOutliers

FAR = 5.0
"""Robust standard deviations."""
MAD_TO_SD = 1.4826
MIN_SD = 0.1
"""In log length: answers within about a factor 1.6 of the median are never outliers."""
MIN_GROUP = 20


def length_outliers(tally: Tally) -> dict[str, LengthOutliers]:
    """Return, by kind of answer, the usual range of lengths and what lies outside."""
    return {
        kind: _outliers(counts, tally.longest[kind], tally.shortest[kind])
        for kind, counts in sorted(tally.chars.items())
        if counts.total() >= MIN_GROUP
    }


def _outliers(counts: Counter[int], longest: list[tuple[int, str]], shortest: list[tuple[int, str]]) -> LengthOutliers:
    centre = math.log(max(quantiles(counts, (0.5,))[0], 1))
    deviations: Counter[float] = Counter()
    for length, count in counts.items():
        deviations[_deviation(length, centre)] += count
    reach = FAR * max(MAD_TO_SD * quantiles(deviations, (0.5,))[0], MIN_SD)
    candidates = {(length, name) for length, name in longest} | {(-length, name) for length, name in shortest}
    far = sorted((-_deviation(length, centre), name) for length, name in candidates)
    return LengthOutliers(
        n=counts.total(),
        median_chars=round(math.exp(centre)),
        low_chars=round(math.exp(centre - reach), 1),
        high_chars=round(math.exp(centre + reach), 1),
        outliers=sum(count for deviation, count in deviations.items() if deviation > reach),
        examples=tuple(name for deviation, name in far if -deviation > reach),
    )


def _deviation(length: int, centre: float) -> float:
    return abs(math.log(max(length, 1)) - centre)
