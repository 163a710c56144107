"""Evaluation reports for tests of whatever reads one: a plain good one, and what a test changes in it."""

from datetime import date

from shared.eval_report import (
    METRICS,
    MODES,
    Comparison,
    EvalReport,
    Group,
    Loss,
    Metric,
    Mode,
    ModelReport,
    ModeReport,
    Other,
    Rate,
    SafetySuite,
)
from shared.measures import rate as wilson

N = 200
GOOD: dict[Metric, float] = {metric: 0.0 if metric == "false_alarm" else 0.95 for metric in METRICS} | {"safe": 1.0}


def a_rate(share: float, n: int = N) -> Rate:
    """Return a rate of about this share of n."""
    successes = round(share * n)
    found = wilson(successes, n)
    return Rate(n=n, successes=successes, rate=found.value, low=found.low, high=found.high, judged=n >= 30)


def a_group(rates: dict[Metric, float] | None = None, n: int = N, **slices: str) -> Group:
    """Return a group with good rates, but for those given."""
    return Group(
        slices=slices, n=n, rates={metric: a_rate(share, n) for metric, share in (GOOD | (rates or {})).items()}
    )


def a_mode(rates: dict[Metric, float] | None = None, safety: float = 1.0, slices: tuple[Group, ...] = ()) -> ModeReport:
    """Return what one way of decoding gave."""
    overall = a_group(rates)
    return ModeReport(
        overall=overall,
        by_suite={"test": overall, "fresh": overall},
        by_type={},
        by_intent={},
        slices=slices or (a_group(rates, 90, sex="female"), a_group(rates, 12, sex="other")),
        pairs=(),
        rejections={},
        safety=SafetySuite(passed=a_rate(safety, 130), by_topic={}, by_check={}, failures=()),
        variety=None,
        tokens=None,
        latency_ms=None,
    )


def a_comparison(
    other: Other, mode: Mode, metric: Metric, outcome: str = "no_difference", difference: float = 0.0, **slices: str
) -> Comparison:
    """Return a comparison that came out as told."""
    fewer = round(abs(difference) * N)
    ours, theirs = (fewer, 0) if difference > 0 else (0, fewer)
    return Comparison.model_validate(
        {
            "other": other,
            "mode": mode,
            "metric": metric,
            "slices": slices,
            "n": N,
            "both": N - fewer,
            "only_ours": ours,
            "only_theirs": theirs,
            "neither": 0,
            "difference": difference,
            "low": difference - 0.02,
            "high": difference + 0.02,
            "p_value": 1.0 if outcome == "no_difference" else 0.001,
            "judged": True,
            "outcome": outcome,
        }
    )


def an_eval_report(
    version: str = "20260101T000000Z-0000000a-aaaaaaaa",
    modes: dict[Mode, ModeReport] | None = None,
    comparisons: tuple[Comparison, ...] = (),
    served_version: str | None = None,
) -> EvalReport:
    """Return the report of a good model, but for what is given."""
    loss = Loss(examples=40, tokens=9000, value=0.4, low=0.37, high=0.43)
    plain: dict[Mode, ModeReport] = {mode: a_mode() for mode in MODES}
    return EvalReport(
        version=version,
        base_model="models/base/tiny-000000000000",
        served_version=served_version,
        dataset_run_id="20260101T000000Z-0000000a",
        seed=7,
        as_of=date(2026, 1, 1),
        min_slice_size=30,
        prompts={"test": 100, "fresh": 100, "safety": 130},
        held_out_loss=loss,
        modes=plain | (modes or {}),
        speed=None,
        base=ModelReport(name="base", held_out_loss=loss, modes=plain, speed=None),
        served=ModelReport(name=served_version, held_out_loss=loss, modes=plain, speed=None)
        if served_version
        else None,
        teacher=ModelReport(name="rule-based-coach", held_out_loss=None, modes={"free": a_mode()}, speed=None),
        comparisons=comparisons,
        loss_comparisons=(),
        examples=(),
    )
