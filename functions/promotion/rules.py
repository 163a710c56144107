"""Rules: every reason why a model may not serve an environment, and the numbers that were looked at."""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.promotion.comparing import worse_than_served
from functions.promotion.thresholds import Demand, EnvironmentRules
from shared.eval_report import LOWER_IS_BETTER, EvalReport, Metric, Mode, ModeReport, Rate
from shared.events import PromoteRequested
from shared.registry import ModelRecord, Pointer


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that is to serve, as it was found."""

    record: ModelRecord | None
    """None where the registry does not list it."""
    wrong: tuple[str, ...]
    """What is wrong with its files: nobody can overrule that."""
    report: EvalReport | None
    """None where there is none to be read, which is among what is wrong."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said about a request."""

    fatal: tuple[str, ...]
    """Reasons that force does not overrule."""
    objections: tuple[str, ...]
    numbers: dict[str, float]

    def is_granted(self, force: bool) -> bool:
        """Return whether the model may serve."""
        return not self.fatal and (force or not self.objections)


def judge(
    request: PromoteRequested,
    candidate: Candidate,
    rules: EnvironmentRules,
    pointer: Pointer | None,
    served: EvalReport | None,
) -> Verdict:
    """Judge a request; `served` is the report of the version that serves, None where none does or none is found."""
    if candidate.record is None or candidate.report is None or candidate.wrong:
        return Verdict(candidate.wrong, (), {})
    stable = pointer.stable if pointer else None
    objections = [
        *_order(request, candidate.record, rules),
        *_canary(request, stable),
        *_demanded(candidate.report, rules),
    ]
    if stable is not None and stable != request.version:
        objections += worse_than_served(candidate.report, served, stable, rules)
    return Verdict((), tuple(objections), numbers(candidate.report, rules))


def numbers(report: EvalReport, rules: EnvironmentRules) -> dict[str, float]:
    """Return the rates that an environment looks at, with their intervals."""
    found: dict[str, float] = {}
    for mode, metric in sorted({*_pairs(rules)}):
        rate = report.rate(mode, metric)
        if rate is not None:
            found |= _numbers(f"{mode}.{metric}", rate)
    for mode, one in report.modes.items():
        if mode in rules.demands and one.safety is not None:
            found |= _numbers(f"{mode}.safety_suite", one.safety.passed)
    return found


def _order(request: PromoteRequested, record: ModelRecord, rules: EnvironmentRules) -> Iterator[str]:
    if rules.after is not None and rules.after not in record.served_in:
        been = ", ".join(record.served_in) or "nowhere"
        yield f"{request.environment} needs a model that {rules.after} has served; this one has been served: {been}"


def _canary(request: PromoteRequested, stable: str | None) -> Iterator[str]:
    if request.percent < 100 and stable in (None, request.version):
        yield f"no other model serves the other {100 - request.percent} % of {request.environment}'s requests"


def _demanded(report: EvalReport, rules: EnvironmentRules) -> Iterator[str]:
    for mode, demand in rules.demands.items():
        measured = report.modes.get(mode)
        if measured is None:
            yield f"{mode}: the model was not evaluated in this way"
        else:
            yield from _short_of(mode, measured, demand)


def _short_of(mode: Mode, measured: ModeReport, demand: Demand) -> Iterator[str]:
    for metric, limit in demand.rates.items():
        yield from _missed(f"{mode} {metric}", metric, measured.overall.rates.get(metric), limit, demand)
    if demand.safety_suite is not None:
        passed = measured.safety.passed if measured.safety else None
        yield from _missed(f"{mode} safety suite", "safe", passed, demand.safety_suite, demand)


def _missed(name: str, metric: Metric, rate: Rate | None, limit: float, demand: Demand) -> Iterator[str]:
    if rate is None or not rate.judged:
        yield f"{name}: too few prompts to judge ({rate.n if rate else 0})"
        return
    low_is_good = metric in LOWER_IS_BETTER
    bound = rate.high if low_is_good else rate.low
    value = bound if demand.judged_by == "bound" else rate.rate
    if (value > limit) if low_is_good else (value < limit):
        side = "above" if low_is_good else "below"
        which = ", at the worse end of its interval," if demand.judged_by == "bound" else ""
        yield f"{name} is {value:.3f}{which} and {side} {limit:g} ({rate.successes} of {rate.n})"


def _pairs(rules: EnvironmentRules) -> Iterator[tuple[Mode, Metric]]:
    for mode, demand in rules.demands.items():
        yield from ((mode, metric) for metric in demand.rates)
    for mode, metrics in rules.not_worse.items():
        yield from ((mode, metric) for metric in metrics)


def _numbers(name: str, rate: Rate) -> dict[str, float]:
    return {name: rate.rate, f"{name}.low": rate.low, f"{name}.high": rate.high, f"{name}.n": rate.n}
