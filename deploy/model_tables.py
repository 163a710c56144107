"""Model tables: versions, rates, differences and decisions for people."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from deploy.tables import clock, plain
from functions.promotion.comparing import difference
from shared.eval_report import LOWER_IS_BETTER, METRICS, MODES, EvalReport, Metric, Mode, Rate
from shared.events import Environment
from shared.frozen import Frozen
from shared.registry import Decision, ModelRecord, Pointer


class Difference(Frozen):
    """A rate of two models over everybody."""

    mode: Mode
    metric: Metric
    first: Rate
    second: Rate
    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """What the interval says."""
        if self.low <= 0 <= self.high:
            return ""
        return "worse" if (self.difference > 0) == (self.metric in LOWER_IS_BETTER) else "better"


def models_table(records: Sequence[ModelRecord], pointers: Mapping[Environment, Pointer | None]) -> Table:
    """Return registered versions, and where they serve."""
    table = plain("version", "recipe", "base", "registered", "serves", "has served")
    for record in records:
        serves = [_serving(name, one) for name, one in pointers.items() if one and one.version == record.version]
        been = ", ".join(record.served_in)
        registered = clock(record.registered_at)
        table.add_row(record.version, record.recipe, record.base_model, registered, ", ".join(serves), been)
    return table


def rates_table(report: EvalReport) -> Table:
    """Return a model's rates over everybody, by way of decoding."""
    table = plain("rate", *report.modes)
    for metric in METRICS:
        found = [report.rate(mode, metric) for mode in report.modes]
        if any(found):
            table.add_row(metric.replace("_", " "), *(_rate(one) for one in found))
    table.add_row("safety suite", *(_rate(one.safety.passed if one.safety else None) for one in report.modes.values()))
    return table


def differences(first: EvalReport, second: EvalReport) -> list[Difference]:
    """Return the second model's rates minus the first's, wherever both have them."""
    rows = []
    for mode in MODES:
        for metric in METRICS:
            ours, theirs = second.rate(mode, metric), first.rate(mode, metric)
            if ours is not None and theirs is not None:
                found, low, high = difference(ours, theirs)
                rows.append(
                    Difference(
                        mode=mode, metric=metric, first=theirs, second=ours, difference=found, low=low, high=high
                    )
                )
    return rows


def differences_table(rows: Sequence[Difference]) -> Table:
    """Return differences with their intervals."""
    table = plain("mode", "rate", "first", "second", "difference", "95 %", "")
    for row in rows:
        interval = f"{row.low:+.3f} to {row.high:+.3f}"
        rates = (f"{row.first.rate:.3f}", f"{row.second.rate:.3f}", f"{row.difference:+.3f}", interval)
        table.add_row(row.mode, row.metric.replace("_", " "), *rates, row.verdict)
    return table


def decisions_table(decisions: Sequence[Decision]) -> Table:
    """Return what was decided about a model."""
    table = plain("decided", "environment", "verdict", "by", "why", "objections")
    for one in decisions:
        verdict = f"{one.verdict}{', by force' if one.force and one.reasons else ''}"
        table.add_row(clock(one.decided_at), one.environment, verdict, one.actor, one.reason, "\n".join(one.reasons))
    return table


def _serving(environment: str, pointer: Pointer) -> str:
    share = "" if pointer.percent == 100 else f" {pointer.percent} %"
    return f"{environment}{share}{'' if pointer.served else ' (not loaded yet)'}"


def _rate(rate: Rate | None) -> str:
    return f"{rate.rate:.3f} [{rate.low:.3f}, {rate.high:.3f}] of {rate.n}" if rate else ""
