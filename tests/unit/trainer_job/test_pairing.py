"""Pairing and grouping: known values, honest edges, and what is too small to be judged."""

import numpy as np
import pytest
from trainer_job.evaluation.grouping import cells, group, rate_of, sliced
from trainer_job.evaluation.pairing import compare, compare_losses, loss_of, mcnemar, paired_interval

from shared.coach.profile import SliceTags, slice_tags
from shared.eval_report import Metric
from tests.people import random_person

TAGS = [slice_tags(random_person(seed)) for seed in range(80)]
YES: dict[Metric, bool] = {"passed": True}
NO: dict[Metric, bool] = {"passed": False}


@pytest.mark.parametrize(
    ("ours", "theirs", "p"), [(0, 0, 1.0), (8, 0, 0.0078125), (5, 5, 1.0), (10, 2, 0.03857421875), (0, 1, 1.0)]
)
def test_mcnemar_is_exact(ours: int, theirs: int, p: float) -> None:
    assert mcnemar(ours, theirs) == pytest.approx(p)
    assert mcnemar(theirs, ours) == mcnemar(ours, theirs)


@pytest.mark.parametrize("shares", [(0.4, 0.24, 0.04, 0.32), (0.9, 0.06, 0.03, 0.01), (0.02, 0.1, 0.02, 0.86)])
def test_the_paired_interval_holds_the_truth_19_times_in_20(shares: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(3)
    drawn = [tuple(map(int, rng.multinomial(60, shares))) for _ in range(2000)]
    truth = shares[1] - shares[2]
    held = sum(low <= truth <= high for low, high in map(paired_interval, drawn))
    assert 0.93 <= held / len(drawn) <= 0.995


def test_an_interval_is_never_narrower_than_what_so_few_can_tell() -> None:
    low, high = paired_interval((10, 0, 0, 0))
    assert low < -0.2 < 0 < 0.2 < high
    assert paired_interval((0, 0, 0, 0)) == (-1, 1)


def test_a_group_is_judged_from_its_least_size_on() -> None:
    assert [rate_of([True] * n, 30).judged for n in (0, 29, 30)] == [False, False, True]
    one = group([YES, NO, {}], 2)
    assert (one.n, one.rates["passed"].n, one.rates["passed"].rate) == (3, 2, 0.5)
    assert "safe" not in one.rates


def test_slices_and_pairs_cover_everybody_once_a_dimension() -> None:
    single, double = cells(TAGS, 1), cells(TAGS, 2)
    assert sum(map(len, single.values())) == 5 * len(TAGS)
    assert sum(map(len, double.values())) == 10 * len(TAGS)
    groups = sliced([YES] * len(TAGS), TAGS, 1, 10)
    assert {next(iter(one.slices)) for one in groups} == set(SliceTags.model_fields)
    assert all(one.rates["passed"].judged == (one.n >= 10) for one in groups)


def test_better_and_worse_are_told_where_the_interval_leaves_out_nothing() -> None:
    ours, theirs = [YES] * 60 + [NO] * 20, [YES] * 30 + [NO] * 50
    found = compare("base", "schema", ours, theirs, TAGS, 30)
    overall = next(one for one in found if not one.slices)
    assert (overall.outcome, overall.only_ours, overall.only_theirs, overall.n) == ("better", 30, 0, 80)
    assert next(one for one in compare("base", "schema", theirs, ours, TAGS, 30) if not one.slices).outcome == "worse"
    assert {one.outcome for one in compare("base", "schema", ours, ours, TAGS, 30)} == {"no_difference", "not_judged"}
    assert all(one.judged == (one.n >= 30) for one in found)


def test_more_false_alarms_are_worse() -> None:
    alarms: list[dict[Metric, bool]] = [{"false_alarm": True}] * 80
    calm: list[dict[Metric, bool]] = [{"false_alarm": False}] * 80
    found = next(one for one in compare("served", "free", alarms, calm, TAGS, 30) if not one.slices)
    assert (found.outcome, found.difference) == ("worse", 1)


def test_losses_are_compared_example_by_example() -> None:
    theirs = [(float(n % 7 + 1), 2 + n % 3) for n in range(50)]
    ours = [(loss * 0.9, tokens) for loss, tokens in theirs]
    found = compare_losses("base", ours, theirs, seed=1)
    assert found.difference < 0
    assert found.high < 0
    assert found.p_value <= 0.01
    assert compare_losses("base", theirs, theirs, seed=1).p_value == 1
    one = loss_of(ours, seed=1)
    assert one.low < one.value < one.high
    assert loss_of(ours, seed=1) == one
