"""Gate: a healthy dataset is approved, and each threshold alone is enough to reject one."""

from dataclasses import replace
from typing import Any

import pytest

from functions.anomalies.detect import detect_anomalies
from functions.bias.slices import slice_bias
from functions.gate.rules import judge
from functions.stats.compute import compute_stats
from functions.validate.checks import validate
from shared.coach.scoring import Scores
from shared.records import DatasetRecord
from shared.reports import AnomalyReport, GateReport
from shared.run_config import GateSettings
from tests.datasets import TOTALS, Dataset, changed, person, reject, retagged, run_config

HEALTHY = Dataset.build(people=100)


def anomaly_report(dataset: Dataset, previous: AnomalyReport | None = None) -> AnomalyReport:
    return detect_anomalies(dataset.manifest, dataset.lines, run_config(), previous)


def judged(dataset: Dataset, previous: AnomalyReport | None = None, **gate: Any) -> GateReport:
    config = run_config(gate=GateSettings(**gate))
    people = map(person, range(dataset.people))
    return judge(
        config,
        validate(dataset.manifest, dataset.files),
        compute_stats(dataset.manifest, dataset.lines, people, iter(()), TOTALS),
        anomaly_report(dataset, previous),
        slice_bias(dataset.lines, iter(dataset.rejects), config),
    )


def failed(report: GateReport) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


def rejecting(unlucky: set[DatasetRecord]) -> Dataset:
    return replace(
        HEALTHY,
        records=tuple(one for one in HEALTHY.records if one not in unlucky),
        rejects=tuple(reject(one) for one in HEALTHY.records if one in unlucky),
    )


def test_healthy_dataset_is_approved_with_every_check_passed() -> None:
    report = judged(HEALTHY)
    assert report.verdict == "approved"
    assert report.reasons == ()
    assert report.warnings == ()
    assert len(report.checks) == 9


def test_too_few_records_are_rejected_with_both_numbers() -> None:
    report = judged(HEALTHY, min_records=501)
    assert report.verdict == "rejected"
    assert report.reasons == ("500 records, at least 501 are wanted",)


def test_just_enough_records_are_approved() -> None:
    assert judged(HEALTHY, min_records=500).verdict == "approved"


def test_too_many_rejected_responses_are_rejected() -> None:
    some = rejecting(set(HEALTHY.records[::10]))
    assert failed(judged(some, max_rejected_share=0.09)) == ["rejected responses"]
    assert failed(judged(some, max_rejected_share=0.1)) == []


def test_too_many_equal_responses_are_rejected() -> None:
    def alike(one: DatasetRecord) -> DatasetRecord:
        same = one.context.prompt_type == "coach_chat" and one.split == "train"
        return changed(one, response='{"escalation":"none","reply":"Rest today."}') if same else one

    report = judged(HEALTHY.with_records(alike))
    assert "distinct responses" in failed(report)
    assert judged(HEALTHY.with_records(alike), min_distinct_responses=0.5).verdict == "approved"


def test_split_far_from_what_was_asked_for_is_rejected() -> None:
    def to_val(one: DatasetRecord) -> DatasetRecord:
        return one.model_copy(update={"split": "val"}) if one.user_id[-1] in "012" else one

    report = judged(HEALTHY.with_records(to_val))
    assert failed(report) == ["split deviation"]
    assert "val is 30.0% off" in report.reasons[0]


def test_split_of_few_people_may_be_off_as_far_as_chance_takes_it() -> None:
    report = judged(Dataset.build(people=8), min_records=10)
    deviation = next(check for check in report.checks if check.name == "split deviation")
    assert deviation.value > GateSettings().max_split_deviation
    assert deviation.passed


def test_dataset_unlike_the_previous_run_is_rejected() -> None:
    before = anomaly_report(HEALTHY)
    moved = HEALTHY.with_records(lambda one: retagged(one, goal_type="strength"))
    assert failed(judged(moved, previous=before)) == ["shift"]
    assert judged(moved).verdict == "approved"


def test_slice_that_passes_less_often_is_rejected_by_name() -> None:
    others = {one for one in HEALTHY.records if one.context.slice_tags.sex == "other"}
    unfair = rejecting({one for one in others if one.user_id[-1] in "25"})
    report = judged(unfair)
    assert failed(report) == ["pass rate gap"]
    assert "sex other" in report.reasons[0]
    tolerated = judged(unfair, max_pass_rate_gap=1)
    assert tolerated.verdict == "approved"
    assert any(text.startswith("sex other: pass rate") for text in tolerated.warnings)


def test_one_unsafe_record_is_one_too_many() -> None:
    unsafe = Scores(format=1, safety=0.5, helpfulness=1, overall_pass=True)
    one = replace(HEALTHY, records=(changed(HEALTHY.records[0], scores=unsafe), *HEALTHY.records[1:]))
    assert failed(judged(one)) == ["safe records"]
    assert judged(one, min_safety_rate=0.99).verdict == "approved"


def test_fault_in_the_files_is_rejected_whatever_the_thresholds() -> None:
    lax = {"min_records": 1, "max_rejected_share": 1, "min_distinct_responses": 0, "max_pass_rate_gap": 1}
    report = judged(HEALTHY.tampered("val.jsonl", lambda lines: lines[1:]), **lax)
    assert failed(report) == ["faults in the files"]
    assert "not as in manifest" in report.reasons[0]


@pytest.mark.parametrize("kind", ["plan_creation", "coach_chat"])
def test_critical_anomaly_is_rejected_in_its_own_words(kind: str) -> None:
    without = replace(HEALTHY, records=tuple(r for r in HEALTHY.records if r.context.prompt_type != kind))
    report = judged(without)
    assert failed(report) == ["critical anomalies"]
    assert f"the config asks for {kind}, the dataset holds none" in report.reasons[0]


def test_anomaly_that_is_only_worth_a_look_is_a_warning() -> None:
    long = '{"escalation":"none","reply":"' + "walk " * 350 + '"}'
    chats = [i for i, one in enumerate(HEALTHY.records) if one.context.prompt_type == "coach_chat"][:4]
    some = tuple(
        changed(one, response=long.replace("walk", f"walk{i}", 1)) if i in chats else one
        for i, one in enumerate(HEALTHY.records)
    )
    report = judged(replace(HEALTHY, records=some))
    assert report.verdict == "approved"
    assert any("far longer or shorter" in text for text in report.warnings)
