"""Detection: duplicates, missing values, length outliers, split drift and shift, in one pass.

A number that chance explains raises no alert: small datasets drift, and their distributions differ,
without anything being wrong. People are counted for that, not records, since the messages of one
person resemble each other.
"""

from collections.abc import Iterator
from itertools import islice

from functions.anomalies.drift import split_drift
from functions.anomalies.outliers import length_outliers
from functions.anomalies.shift import marginals, shift
from functions.anomalies.tally import Tally
from shared.fingerprints import distinct, repeats
from shared.record_lines import RecordLine
from shared.records import SPLITS, DatasetManifest
from shared.reports import (
    Alert,
    AlertSeverity,
    AnomalyReport,
    Duplicates,
    LengthOutliers,
    Severity,
    Shift,
    SplitDrift,
)
from shared.run_config import GateSettings, RunConfig

MAX_EXAMPLES = 20
WORTH_A_LOOK_PSI = 0.1
"""The usual first mark of a population stability index; the alarm is `gate.max_shift`."""
MAX_OUTLIER_SHARE = 0.005
MAX_REPEATED_INSTRUCTIONS = 0.05


def detect_anomalies(
    manifest: DatasetManifest,
    records: Iterator[RecordLine],
    config: RunConfig,
    previous: AnomalyReport | None,
) -> AnomalyReport:
    """Report what is odd about a dataset; `previous` is the last report of a config of this name."""
    tally = Tally()
    for record in records:
        tally.add(record)
    duplicates = _duplicates(tally, manifest)
    outliers = length_outliers(tally)
    drift = split_drift(tally, manifest, config.gate.min_slice_size)
    now = marginals(tally, manifest.users, previous)
    moved = shift(now, previous)
    alerts = (
        *_duplicate_alerts(duplicates, tally.n, config.gate),
        *_missing_alerts(tally, config),
        *_outlier_alerts(outliers, tally.n),
        *_drift_alerts(drift, config.gate),
        *_shift_alerts(moved, config.gate),
    )
    return AnomalyReport(
        config_name=config.name,
        severity=_severity(alerts),
        alerts=alerts,
        duplicates=duplicates,
        missing=dict(sorted(tally.missing.items())),
        length_outliers=outliers,
        split_drift=drift,
        marginals=now,
        shift=moved,
    )


def _severity(alerts: tuple[Alert, ...]) -> Severity:
    if any(alert.severity == "critical" for alert in alerts):
        return "critical"
    return "warning" if alerts else "none"


def _duplicates(tally: Tally, manifest: DatasetManifest) -> Duplicates:
    pairs = sorted(repeats(tally.pairs), key=lambda pair: pair[1])
    return Duplicates(
        instructions=tally.n - distinct(tally.instructions),
        responses=tally.n - distinct(tally.responses),
        pairs=len(pairs),
        dropped=sum(n for reason, n in manifest.rejected.items() if "duplicate" in reason),
        examples=tuple((first + 1, again + 1) for first, again in islice(pairs, MAX_EXAMPLES)),
    )


def _duplicate_alerts(found: Duplicates, n: int, gate: GateSettings) -> Iterator[Alert]:
    if found.pairs:
        lines = ", ".join(f"{first} and {again}" for first, again in found.examples[:3])
        message = f"{found.pairs} records repeat another's instruction and response (lines {lines})"
        yield Alert(severity="critical", kind="duplicate_pairs", message=message)
    if found.responses > (1 - gate.min_distinct_responses) * n:
        message = f"{found.responses} of {n} responses repeat another word for word"
        yield Alert(severity="critical", kind="duplicate_responses", message=message)
    if found.instructions > MAX_REPEATED_INSTRUCTIONS * n:
        message = f"{found.instructions} of {n} instructions repeat another word for word"
        yield Alert(severity="warning", kind="duplicate_instructions", message=message)


def _missing_alerts(tally: Tally, config: RunConfig) -> Iterator[Alert]:
    for name, count in sorted(tally.missing.items()):
        severity: AlertSeverity = "critical" if name in ("instruction", "response") else "warning"
        message = f"{count} of {tally.n} records say nothing in {name}"
        yield Alert(severity=severity, kind="missing_values", message=message)
    for kind, wanted in config.queries_per_user.rates.items():
        if wanted and not tally.of_type(kind):
            message = f"the config asks for {kind}, the dataset holds none"
            yield Alert(severity="critical", kind="missing_type", message=message)
    for split in SPLITS:
        if not tally.of_split(split):
            yield Alert(severity="critical", kind="missing_split", message=f"the {split} split is empty")


def _outlier_alerts(found: dict[str, LengthOutliers], n: int) -> Iterator[Alert]:
    outliers = sum(group.outliers for group in found.values())
    if outliers > MAX_OUTLIER_SHARE * n:
        where = ", ".join(f"{group.outliers} in {name}" for name, group in found.items() if group.outliers)
        message = f"{outliers} of {n} responses are far longer or shorter than their like ({where})"
        yield Alert(severity="warning", kind="length_outliers", message=message)


def _drift_alerts(drift: tuple[SplitDrift, ...], gate: GateSettings) -> Iterator[Alert]:
    for one in drift:
        off = abs(one.share - one.asked)
        if off > max(gate.max_split_deviation, one.by_chance):
            of = f"{one.stratum} ({one.n} records)" if one.stratum else "all records"
            message = f"{one.split} holds {one.share:.1%} of {of}, {one.asked:.1%} was asked for"
            severity: AlertSeverity = "warning" if one.stratum else "critical"
            yield Alert(severity=severity, kind="split_drift", message=message)


def _shift_alerts(moved: dict[str, Shift], gate: GateSettings) -> Iterator[Alert]:
    for name, one in moved.items():
        if one.psi > max(min(WORTH_A_LOOK_PSI, gate.max_shift), one.by_chance):
            message = f"{name} is distributed unlike the previous run's (stability index {one.psi:.2f})"
            severity: AlertSeverity = "critical" if one.psi > gate.max_shift else "warning"
            yield Alert(severity=severity, kind="distribution_shift", message=message)
