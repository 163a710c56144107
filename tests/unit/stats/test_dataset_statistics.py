"""Statistics: what is counted is what is there, for records, people and logs."""

import json
from dataclasses import replace

import pytest

from functions.stats.compute import compute_stats
from shared.reports import StatsReport
from tests.datasets import TOTALS, Dataset, changed, person, reject, training_log

DATASET = Dataset.build(people=40)


def described(dataset: Dataset = DATASET, logs: tuple[bytes, ...] = ()) -> StatsReport:
    people = (person(i) for i in range(dataset.people))
    return compute_stats(dataset.manifest, dataset.lines, people, iter(logs), TOTALS)


def test_records_are_counted_by_split_type_and_slice_and_their_crossings() -> None:
    report = described()
    assert report.records == 200
    assert report.splits == {"train": 160, "val": 20, "test": 20}
    assert set(report.types.values()) == {40}
    assert report.types_by_split["val"]["coach_chat"] == 4
    assert report.slices["condition_flag"] == {"has_condition": 95, "none": 105}
    assert report.types_by_slice["condition_flag"]["none"]["plan_creation"] == 21
    assert all(sum(values.values()) == 200 for values in report.slices.values())


def test_lengths_are_described_over_all_and_by_type() -> None:
    longest = changed(DATASET.records[0], instruction="x" * 10_000)
    report = described(replace(DATASET, records=(longest, *DATASET.records[1:])))
    lengths = report.lengths["instruction_chars"]
    assert lengths.overall.max == lengths.by_type["plan_creation"].max == 10_000
    assert lengths.by_type["coach_chat"].max < 200
    assert lengths.overall.min <= lengths.overall.p5 <= lengths.overall.p50 <= lengths.overall.p95
    assert sum(lengths.histogram.counts) == 200
    assert lengths.histogram.edges[0] <= lengths.overall.min
    assert lengths.histogram.edges[-1] > 10_000


def test_repeated_responses_lower_the_share_of_distinct_ones() -> None:
    assert described().distinct_response_share == 1
    same = DATASET.with_records(lambda one: changed(one, response="same"))
    report = described(same)
    assert report.distinct_responses == 1
    assert report.distinct_response_share == 1 / 200
    assert report.distinct_instructions == 200


def test_weekly_sets_leave_out_answers_without_a_plan() -> None:
    report = described()
    assert report.weekly_sets.n == 160
    assert sum(one.n for one in report.weekly_sets_by_goal.values()) == 160


def test_rejected_share_is_of_all_responses() -> None:
    some = replace(DATASET, records=DATASET.records[50:], rejects=tuple(map(reject, DATASET.records[:50])))
    assert described(some).rejected_share == 0.25


def test_people_are_described_by_what_a_population_is_known_for() -> None:
    people = described().people
    assert people.n == 40
    assert people.height_cm["male"].mean > people.height_cm["female"].mean + 10
    assert sum(people.height_bins["male"].counts) == people.height_cm["male"].n
    assert people.equipment == {"barbell": 0.5, "bench": 0.5}
    assert people.pieces.counts[:4] == (20, 0, 20, 0)
    assert people.conditions == {"asthma": pytest.approx(19 / 40)}
    assert people.bmi["18-24"].n == 8
    assert sum(people.sex.values()) == pytest.approx(1, abs=1e-3)


def test_logs_are_described_by_adherence_volume_and_progress() -> None:
    training = described(logs=tuple(training_log(i) for i in range(4))).training
    assert training.n == 4
    assert training.sets_per_person.mean == 40
    assert training.sessions_per_person.mean == 10
    assert training.mean_adherence == pytest.approx(10 / 12, abs=1e-3)
    assert training.median_e1rm_change_pct == pytest.approx(10, abs=0.1)
    assert training.weight_change_kg["fat_loss"].mean == -1.5
    assert training.weight_change_kg["strength"].n == 0
    assert training.sleep_h.mean == 7
    assert training.kcal.mean == 2000


def test_of_a_large_run_logs_at_even_distances_are_read() -> None:
    logs = tuple(training_log(i, planned=12 + i % 2) for i in range(40))
    few = DATASET.manifest.model_copy(update={"users": 1000})
    training = compute_stats(few, iter(()), iter(()), iter(logs), TOTALS).training
    assert training.n == 20
    assert training.mean_adherence == pytest.approx(10 / 12, abs=1e-3)


def test_lift_trained_three_times_says_nothing_about_progress() -> None:
    training = described(logs=(training_log(0, done=3),)).training
    assert sum(training.e1rm_change_pct.counts) == 0
    assert training.median_e1rm_change_pct == 0


def test_log_of_somebody_who_never_trained_is_counted() -> None:
    idle = json.loads(training_log(0)) | {"sessions": [], "daily": [], "weighings": []}
    training = described(logs=(json.dumps(idle).encode(),)).training
    assert training.n == 1
    assert training.mean_adherence == 0


def test_teacher_totals_are_passed_on() -> None:
    assert described().teacher == TOTALS


def test_dataset_without_records_or_people_has_statistics_all_the_same() -> None:
    report = described(Dataset(0, ()))
    assert report.records == 0
    assert report.distinct_response_share == 0
    assert report.people.n == 0
