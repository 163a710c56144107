"""Slices: how people of each slice, and of each pair of slices, are answered, against the rest.

A response counts as passed when it stands in the dataset, as failed when it was rejected; one left
out as a duplicate says nothing about quality and is not counted. Responses are counted once, in the
cell where all five slices cross; slices and pairs are sums of cells.

With some 150 groups compared, 95 % intervals would flag several by chance alone. The intervals of
the gaps are therefore Bonferroni's: all of them hold at once, 95 times in 100.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from statistics import NormalDist

from shared.coach.profile import SliceTags
from shared.measures import Moments, mean, mean_gap, rate, rate_gap
from shared.record_lines import RecordLine, tag_values
from shared.records import RejectRecord
from shared.reports import MEASURES, BiasReport, Estimate, Gap, Measure, SliceGroup
from shared.run_config import RunConfig

SLICES = tuple(SliceTags.model_fields)
RATES: tuple[Measure, ...] = ("pass_rate", "safety_rate")
NOTABLE = 0.1
"""Relative difference of a mean from everybody else's that is worth a sentence."""
WORDS: dict[Measure, str] = {
    "pass_rate": "pass rate",
    "safety_rate": "safety rate",
    "helpfulness": "helpfulness",
    "response_chars": "response length",
    "weekly_sets": "weekly sets",
}
Group = tuple[tuple[int, str], ...]
"""Columns and their values; empty is everybody."""


@dataclass
class Sums:
    """What adds up over responses: (n, sum, sum of squares) of each measure."""

    moments: dict[Measure, Moments] = field(default_factory=lambda: dict.fromkeys(MEASURES, (0, 0.0, 0.0)))

    def add(self, measure: Measure, value: float) -> None:
        """Take in one response's value."""
        n, total, squares = self.moments[measure]
        self.moments[measure] = (n + 1, total + value, squares + value * value)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums({m: _combined(self.moments[m], other.moments[m], 1) for m in MEASURES})

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums({m: _combined(self.moments[m], other.moments[m], -1) for m in MEASURES})

    @property
    def n(self) -> int:
        """How many responses."""
        return self.moments["pass_rate"][0]


def slice_bias(records: Iterable[RecordLine], rejects: Iterable[RejectRecord], config: RunConfig) -> BiasReport:
    """Compare every slice and pair of slices with everybody outside it."""
    cells, safe_records = _cells(records, rejects)
    everybody = sum(cells.values(), Sums())
    sums = _group_sums(cells)
    smallest = config.gate.min_slice_size
    judged = [group for group in sums if _judged(sums[group], everybody, smallest)]
    comparisons = max(len(judged) * len(MEASURES), 1)
    z = NormalDist().inv_cdf(1 - 0.05 / (2 * comparisons))
    described = [_describe(group, sums[group], everybody, smallest, z) for group in sums]
    singles = tuple(group for group in described if len(group.slices) == 1)
    pairs = tuple(group for group in described if len(group.slices) == 2)
    return BiasReport(
        min_slice_size=smallest,
        comparisons=len(judged) * len(MEASURES),
        overall=_describe((), everybody, everybody, smallest, z),
        groups=singles,
        pairs=pairs,
        dataset_safety_rate=safe_records / max(round(everybody.moments["pass_rate"][1]), 1),
        unfair=tuple(_unfair(described)),
        notable=tuple(_notable(singles)),
    )


def _cells(records: Iterable[RecordLine], rejects: Iterable[RejectRecord]) -> tuple[dict[tuple[str, ...], Sums], int]:
    """Return the sums of each crossing of all slices, and how many records are entirely safe."""
    cells: dict[tuple[str, ...], Sums] = {}
    safe = 0
    for record in records:
        context, metadata = record["context"], record["metadata"]
        weekly_sets, scores = metadata["weekly_sets"], metadata["scores"]
        cell = cells.setdefault(tag_values(context["slice_tags"]), Sums())
        cell.add("pass_rate", 1)
        cell.add("response_chars", len(record["response"]))
        if weekly_sets is not None:
            cell.add("weekly_sets", weekly_sets)
        _add_scores(cell, scores["safety"], scores["helpfulness"])
        safe += scores["safety"] >= 1
    for reject in rejects:
        if reject.duplicate_of is None:
            cell = cells.setdefault(tuple(vars(reject.slice_tags).values()), Sums())
            cell.add("pass_rate", 0)
            if reject.scores is not None:
                _add_scores(cell, reject.scores.safety, reject.scores.helpfulness)
    return cells, safe


def _add_scores(cell: Sums, safety: float, helpfulness: float) -> None:
    cell.add("safety_rate", safety >= 1)
    cell.add("helpfulness", helpfulness)


def _combined(ours: Moments, theirs: Moments, sign: int) -> Moments:
    return (ours[0] + sign * theirs[0], ours[1] + sign * theirs[1], ours[2] + sign * theirs[2])


def _group_sums(cells: dict[tuple[str, ...], Sums]) -> dict[Group, Sums]:
    """Return the sums of every value of every slice that occurs, then of every pair, in order."""
    sums: dict[Group, Sums] = {}
    for cell, inside in cells.items():
        values = tuple(enumerate(cell))
        for group in (*combinations(values, 1), *combinations(values, 2)):
            sums[group] = sums[group] + inside if group in sums else inside
    return dict(sorted(sums.items(), key=lambda item: _place(item[0])))


def _place(group: Group) -> tuple[int, tuple[int, ...], Group]:
    """Return what groups are ordered by: slices before pairs, then their columns, then their values."""
    return len(group), tuple(column for column, _ in group), group


def _judged(ours: Sums, everybody: Sums, smallest: int) -> bool:
    return ours.n >= smallest and everybody.n - ours.n >= smallest


def _describe(group: Group, ours: Sums, everybody: Sums, smallest: int, z: float) -> SliceGroup:
    judged = _judged(ours, everybody, smallest)
    return SliceGroup(
        slices={SLICES[column]: value for column, value in group},
        n=ours.n,
        judged=judged,
        estimates={m: _estimate(m, ours.moments[m]) for m in MEASURES if ours.moments[m][0]},
        gaps=_gaps(ours, everybody - ours, smallest, z) if judged else {},
    )


def _estimate(measure: Measure, moments: Moments) -> Estimate:
    return rate(round(moments[1]), moments[0]) if measure in RATES else mean(moments)


def _gaps(ours: Sums, rest: Sums, smallest: int, z: float) -> dict[Measure, Gap]:
    gaps: dict[Measure, Gap] = {}
    for measure in MEASURES:
        a, b = ours.moments[measure], rest.moments[measure]
        if min(a[0], b[0]) < smallest:
            continue
        rates = ((round(a[1]), a[0]), (round(b[1]), b[0]))
        gaps[measure] = rate_gap(*rates, z) if measure in RATES else mean_gap(a, b, z)
    return gaps


def _unfair(groups: Iterable[SliceGroup]) -> Iterator[str]:
    """Yield what is unfair in words: slices before pairs, the widest gap first."""
    found = [
        (len(group.slices), gap.value, group, measure)
        for group in groups
        for measure, gap in group.gaps.items()
        if measure in RATES and gap.high < 0
    ]
    for _, gap, group, measure in sorted(found, key=lambda one: one[:2]):
        ours, at_least = group.estimates[measure].value, -group.gaps[measure].high
        yield (
            f"{group.label}: {WORDS[measure]} {ours:.1%}, everybody else {ours - gap:.1%} "
            f"({group.n} responses; the gap is at least {at_least:.1%})"
        )


def _notable(groups: Iterable[SliceGroup]) -> Iterator[str]:
    for group in groups:
        for measure, gap in group.gaps.items():
            ours = group.estimates[measure].value
            rest = ours - gap.value
            if measure not in RATES and gap.real and abs(gap.value) > NOTABLE * abs(rest):
                yield f"{group.label}: {WORDS[measure]} {ours:.4g}, everybody else {rest:.4g}"
