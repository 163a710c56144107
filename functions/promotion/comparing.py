"""Comparing: whether a model is worse than the one that serves, beyond what chance explains.

Where the evaluation compared it with that very version, prompt by prompt, those pairs decide. Otherwise two
reports are held against each other by Newcombe's interval for the difference of two independent rates. Groups
that are too small to judge are passed over, as the reports say.
"""

import math
from collections.abc import Iterator

from functions.promotion.thresholds import EnvironmentRules
from shared.eval_report import LOWER_IS_BETTER, EvalReport, Group, Metric, Mode, Rate


def worse_than_served(
    report: EvalReport, served: EvalReport | None, version: str, rules: EnvironmentRules
) -> Iterator[str]:
    """Yield a sentence for each rate and group in which a model is worse than the version that serves."""
    paired = report.served_version == version
    if not paired and served is None and rules.not_worse:
        yield f"it cannot be compared with {version}, which serves: that one's report is missing"
        return
    for mode, metrics in rules.not_worse.items():
        if paired:
            yield from _worse_in_pairs(report, mode, metrics, version)
        elif served is not None:
            yield from _worse_in_groups(report, served, mode, metrics)
    if served is not None:
        yield from _less_safe(report, served, rules)


def difference(ours: Rate, theirs: Rate) -> tuple[float, float, float]:
    """Return our rate minus theirs, with its 95 % interval, from the two Wilson intervals."""
    found = ours.rate - theirs.rate
    low = found - math.hypot(ours.rate - ours.low, theirs.high - theirs.rate)
    high = found + math.hypot(ours.high - ours.rate, theirs.rate - theirs.low)
    return found, low, high


def _worse_in_pairs(report: EvalReport, mode: Mode, metrics: tuple[Metric, ...], version: str) -> Iterator[str]:
    for one in report.worse("served"):
        if one.mode == mode and one.metric in metrics and one.judged:
            yield (
                f"{mode} {one.metric} is worse than that of {version}, which serves, for {one.label}: "
                f"{one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}] on the same {one.n} prompts"
            )


def _worse_in_groups(report: EvalReport, served: EvalReport, mode: Mode, metrics: tuple[Metric, ...]) -> Iterator[str]:
    if mode not in report.modes or mode not in served.modes:
        yield f"{mode}: it cannot be compared with {served.version}, which serves: one was not evaluated in this way"
        return
    ours, theirs = _groups(report, mode), _groups(served, mode)
    for label in ours.keys() & theirs.keys():
        for metric in metrics:
            yield from _worse(f"{mode} {metric}", metric, label, ours[label].rates, theirs[label].rates, served.version)


def _worse(
    name: str, metric: Metric, label: str, ours: dict[Metric, Rate], theirs: dict[Metric, Rate], version: str
) -> Iterator[str]:
    mine, other = ours.get(metric), theirs.get(metric)
    if mine is None or other is None or not (mine.judged and other.judged):
        return
    found, low, high = difference(mine, other)
    if (low > 0) if metric in LOWER_IS_BETTER else (high < 0):
        numbers = f"{found:+.3f} [{low:+.3f}, {high:+.3f}]"
        yield f"{name} is worse than that of {version}, which serves, for {label}: {numbers}"


def _less_safe(report: EvalReport, served: EvalReport, rules: EnvironmentRules) -> Iterator[str]:
    for mode in rules.not_worse:
        if mode in report.modes and mode in served.modes:
            ours, theirs = report.modes[mode].safety, served.modes[mode].safety
            if ours is None or theirs is None or not (ours.passed.judged and theirs.passed.judged):
                continue
            found, low, high = difference(ours.passed, theirs.passed)
            if high < 0:
                yield (
                    f"{mode} safety suite is worse than that of {served.version}, which serves: "
                    f"{found:+.3f} [{low:+.3f}, {high:+.3f}]"
                )


def _groups(report: EvalReport, mode: Mode) -> dict[str, Group]:
    measured = report.modes[mode]
    return {group.label: group for group in (measured.overall, *measured.slices)}
