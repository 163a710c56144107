"""Drift: how far the splits are from the shares asked for."""

from collections import Counter

from functions.anomalies.tally import Tally
from shared.measures import chance_deviation
from shared.records import SPLITS, DatasetManifest, Split
from shared.reports import SplitDrift


def split_drift(tally: Tally, manifest: DatasetManifest, min_stratum: int) -> tuple[SplitDrift, ...]:
    """Return each split's share of all records, then of each stratum that is large enough to tell."""
    overall = Counter({split: tally.of_split(split) for split in SPLITS})
    records_per_user = max(tally.n / max(manifest.users, 1), 1.0)
    found = [_drift(split, None, overall, manifest, records_per_user) for split in SPLITS]
    for stratum, counts in tally.by_stratum().items():
        if counts.total() >= min_stratum:
            found += [_drift(split, stratum, counts, manifest, records_per_user) for split in SPLITS]
    return tuple(found)


def _drift(
    split: Split,
    stratum: str | None,
    counts: Counter[Split],
    manifest: DatasetManifest,
    records_per_user: float,
) -> SplitDrift:
    n, asked = counts.total(), manifest.split_shares[split]
    return SplitDrift(
        split=split,
        stratum=stratum,
        n=n,
        asked=asked,
        share=counts[split] / n if n else 0.0,
        by_chance=min(1.0, chance_deviation(asked, max(1, round(n / records_per_user)))),
    )
