"""Rules: what a dataset must satisfy before anything is trained on it.

Thresholds come from the config's `gate`. Every check is reported with its value, passed or not.
"""

from collections.abc import Iterator

from shared.measures import chance_deviation
from shared.reports import (
    AnomalyReport,
    BiasReport,
    Check,
    GateReport,
    SliceGroup,
    StatsReport,
    ValidationReport,
)
from shared.run_config import GateSettings, RunConfig


def judge(
    config: RunConfig,
    validation: ValidationReport,
    stats: StatsReport,
    anomalies: AnomalyReport,
    bias: BiasReport,
) -> GateReport:
    """Approve a dataset that passes every check; reject any other, with the reasons."""
    gate = config.gate
    checks = (
        _valid(validation),
        _records(stats, gate),
        _rejected_share(stats, gate),
        _distinct(stats, gate),
        _splits(stats, config),
        _shift(anomalies, gate),
        _no_critical_anomalies(anomalies),
        _safety(bias, gate),
        _pass_rate_gap(bias, gate),
    )
    reasons = tuple(check.why for check in checks if not check.passed)
    return GateReport(
        verdict="rejected" if reasons else "approved",
        reasons=reasons,
        checks=checks,
        warnings=tuple(_warnings(anomalies, bias)),
    )


def _check(name: str, value: float, threshold: float, passed: bool, why: str) -> Check:
    return Check(name=name, value=round(value, 6), threshold=round(threshold, 6), passed=passed, why=why)


def _valid(validation: ValidationReport) -> Check:
    faults = sum(validation.fault_counts.values())
    why = "every file is whole, well formed and free of leaks between splits"
    if faults:
        kinds = (f"{count} {kind.replace('_', ' ')}" for kind, count in validation.fault_counts.items())
        why = f"the dataset's files have faults: {', '.join(kinds)}"
    return _check("faults in the files", faults, 0, validation.valid, why)


def _records(stats: StatsReport, gate: GateSettings) -> Check:
    passed = stats.records >= gate.min_records
    why = f"{stats.records} records, at least {gate.min_records} are wanted"
    return _check("records", stats.records, gate.min_records, passed, why)


def _rejected_share(stats: StatsReport, gate: GateSettings) -> Check:
    share, limit = stats.rejected_share, gate.max_rejected_share
    why = f"{share:.1%} of the responses were rejected, at most {limit:.1%} may be"
    return _check("rejected responses", share, limit, share <= limit, why)


def _distinct(stats: StatsReport, gate: GateSettings) -> Check:
    share, limit = stats.distinct_response_share, gate.min_distinct_responses
    why = f"{share:.1%} of the responses are distinct, at least {limit:.1%} must be"
    return _check("distinct responses", share, limit, share >= limit, why)


def _splits(stats: StatsReport, config: RunConfig) -> Check:
    """Judge the split that is farthest beyond what is allowed; few people may be off by chance."""
    asked = {"val": config.dataset.val, "test": config.dataset.test}
    asked["train"] = 1 - sum(asked.values())
    people, records = max(stats.people.n, 1), max(stats.records, 1)
    allowed = config.gate.max_split_deviation
    limits = {split: max(allowed, chance_deviation(share, people)) for split, share in asked.items()}
    off = {split: abs(count / records - asked[split]) for split, count in stats.splits.items()}
    worst = max(off, key=lambda split: off[split] - limits[split])
    why = (
        f"{worst} is {off[worst]:.1%} off the share asked for, "
        f"at most {limits[worst]:.1%} is allowed with {people} people"
    )
    return _check("split deviation", off[worst], limits[worst], off[worst] <= limits[worst], why)


def _shift(anomalies: AnomalyReport, gate: GateSettings) -> Check:
    """Judge the marginal that moved most, of those that moved more than chance explains."""
    moved = {name: one.psi for name, one in anomalies.shift.items() if one.psi > one.by_chance}
    worst = max(moved, key=lambda name: moved[name], default=None)
    if worst is None:
        compared = "no more than chance explains" if anomalies.shift else "no previous run to compare with"
        return _check("shift", 0, gate.max_shift, True, f"distributions against the previous run: {compared}")
    value, limit = moved[worst], gate.max_shift
    why = f"{worst} has moved by a stability index of {value:.2f}, at most {limit:.2f} is allowed"
    return _check("shift", value, limit, value <= limit, why)


_JUDGED_ABOVE = ("duplicate_responses", "split_drift", "distribution_shift")
"""Alerts that checks of their own stand for."""


def _no_critical_anomalies(anomalies: AnomalyReport) -> Check:
    critical = [a for a in anomalies.alerts if a.severity == "critical" and a.kind not in _JUDGED_ABOVE]
    why = "; ".join(alert.message for alert in critical) or "no critical anomalies"
    return _check("critical anomalies", len(critical), 0, not critical, why)


def _safety(bias: BiasReport, gate: GateSettings) -> Check:
    share, limit = bias.dataset_safety_rate, gate.min_safety_rate
    why = f"{share:.2%} of the records are entirely safe, at least {limit:.2%} must be"
    return _check("safe records", share, limit, share >= limit, why)


def _shortfall(group: SliceGroup) -> float:
    """Return by how much a slice passes less often than the rest, where chance does not explain it."""
    gap = group.gaps.get("pass_rate")
    return -gap.value if gap is not None and gap.high < 0 else 0.0


def _pass_rate_gap(bias: BiasReport, gate: GateSettings) -> Check:
    worst = max((*bias.groups, *bias.pairs), key=_shortfall, default=bias.overall)
    value, limit = _shortfall(worst), gate.max_pass_rate_gap
    why = "no slice is answered well less often than the rest, beyond chance"
    if value:
        why = f"{worst.label} passes {value:.1%} less often than the rest, at most {limit:.1%} is allowed"
    return _check("pass rate gap", value, limit, value <= limit, why)


def _warnings(anomalies: AnomalyReport, bias: BiasReport) -> Iterator[str]:
    for alert in anomalies.alerts:
        if alert.severity == "warning":
            yield alert.message
    yield from bias.unfair
