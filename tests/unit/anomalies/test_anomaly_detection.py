"""Anomalies: a healthy dataset raises no alert, and each anomaly raises its own."""

from dataclasses import replace

import pytest

from functions.anomalies.detect import detect_anomalies
from shared.records import DatasetRecord
from shared.reports import AnomalyReport
from tests.datasets import Dataset, changed, reject, retagged, run_config

HEALTHY = Dataset.build(people=100)


def detected(dataset: Dataset, previous: AnomalyReport | None = None) -> AnomalyReport:
    return detect_anomalies(dataset.manifest, dataset.lines, run_config(), previous)


def alerts(report: AnomalyReport) -> dict[str, str]:
    return {alert.kind: alert.severity for alert in report.alerts}


def with_first(dataset: Dataset, n: int, **fields: object) -> Dataset:
    first = tuple(changed(one, **fields) for one in dataset.records[:n])
    return replace(dataset, records=first + dataset.records[n:])


def test_healthy_dataset_raises_no_alert_alone_or_after_another() -> None:
    first = detected(HEALTHY)
    assert first.alerts == ()
    assert first.severity == "none"
    assert first.shift == {}
    second = detected(HEALTHY, previous=first)
    assert second.alerts == ()
    assert second.shift["goal_type"].psi == 0


def test_repeated_pair_is_critical_and_names_both_lines() -> None:
    one = HEALTHY.records[3]
    report = detected(with_first(HEALTHY, 1, instruction=one.instruction, response=one.response))
    assert alerts(report)["duplicate_pairs"] == "critical"
    assert report.duplicates.pairs == 1
    assert report.duplicates.examples == ((1, 4),)


def test_many_equal_responses_are_critical() -> None:
    report = detected(with_first(HEALTHY, 50, response='{"escalation":"none","reply":"Rest."}'))
    assert alerts(report)["duplicate_responses"] == "critical"
    assert report.duplicates.responses == 49


def test_many_equal_instructions_are_worth_a_look() -> None:
    report = detected(with_first(HEALTHY, 50, instruction="A plan, please."))
    assert alerts(report)["duplicate_instructions"] == "warning"


def test_duplicates_that_were_left_out_are_counted_from_the_manifest() -> None:
    gone = tuple(reject(one, reason="near_duplicate") for one in HEALTHY.records[:3])
    report = detected(replace(HEALTHY, records=HEALTHY.records[3:], rejects=gone))
    assert report.duplicates.dropped == 3


@pytest.mark.parametrize(
    ("fields", "severity"),
    [({"response": " "}, "critical"), ({"instruction": ""}, "critical"), ({"weekly_sets": None}, "warning")],
)
def test_field_that_says_nothing_raises_an_alert(fields: dict[str, object], severity: str) -> None:
    report = detected(with_first(HEALTHY, 1, **fields))
    assert report.missing == {next(iter(fields)): 1}
    assert alerts(report)["missing_values"] == severity


def test_refusal_that_changes_nothing_needs_no_weekly_sets() -> None:
    no = '{"escalation":"none","edits":[],"explanation":"No.","safety_notes":[]}'
    refused = changed(HEALTHY.records[1], response=no, weekly_sets=None)
    report = detected(replace(HEALTHY, records=(HEALTHY.records[0], refused, *HEALTHY.records[2:])))
    assert report.missing == {}


def test_type_that_the_config_asks_for_and_nobody_answers_is_critical() -> None:
    chatless = tuple(one for one in HEALTHY.records if one.context.prompt_type != "coach_chat")
    assert alerts(detected(replace(HEALTHY, records=chatless)))["missing_type"] == "critical"


def test_empty_split_is_critical() -> None:
    report = detected(replace(HEALTHY, records=tuple(r for r in HEALTHY.records if r.split != "val")))
    assert alerts(report)["missing_split"] == "critical"


def test_responses_ten_times_as_long_as_their_like_are_outliers_and_named() -> None:
    long = '{"escalation":"none","reply":"' + "walk " * 1500 + '"}'
    report = detected(with_first(HEALTHY, 5, response=long))
    assert alerts(report)["length_outliers"] == "warning"
    outliers = report.length_outliers["plan_creation"]
    assert outliers.outliers == 1
    assert outliers.examples == (HEALTHY.records[0].record_id,)
    assert outliers.high_chars < len(long)


def test_one_response_that_is_too_short_is_an_outlier_too() -> None:
    report = detected(with_first(HEALTHY, 1, response='{"escalation":"none"}'))
    assert report.length_outliers["plan_creation"].examples == (HEALTHY.records[0].record_id,)


def test_short_answer_that_escalates_is_no_outlier_among_plans() -> None:
    report = detected(with_first(HEALTHY, 1, response='{"escalation":"emergency","plan":null}'))
    assert report.length_outliers["plan_creation"].outliers == 0


def test_split_far_from_the_share_asked_for_is_critical() -> None:
    def to_val(one: DatasetRecord) -> DatasetRecord:
        return one.model_copy(update={"split": "val"}) if one.user_id[-1] in "0123" else one

    report = detected(HEALTHY.with_records(to_val))
    assert "critical" in {a.severity for a in report.alerts if a.kind == "split_drift"}


def test_split_of_ten_people_may_be_off_by_chance() -> None:
    few = Dataset.build(people=8)
    assert "split_drift" not in alerts(detected(few))


def test_stratum_that_is_all_in_one_split_is_worth_a_look() -> None:
    def to_test(one: DatasetRecord) -> DatasetRecord:
        context = one.context
        stratum = (context.prompt_type, context.slice_tags.goal_type) == ("coach_chat", "strength")
        return one.model_copy(update={"split": "test"}) if stratum else one

    report = detected(Dataset.build(people=200).with_records(to_test))
    drifted = [alert for alert in report.alerts if alert.kind == "split_drift"]
    assert {alert.severity for alert in drifted} == {"warning"}
    assert all("coach_chat / strength" in alert.message for alert in drifted)


def test_slice_that_moved_since_the_previous_run_is_critical_and_named() -> None:
    before = detected(HEALTHY)
    report = detected(HEALTHY.with_records(lambda one: retagged(one, goal_type="strength")), previous=before)
    assert report.shift["goal_type"].psi > 0.25
    moved = [alert for alert in report.alerts if alert.kind == "distribution_shift"]
    assert [alert.severity for alert in moved] == ["critical"]
    assert "goal_type" in moved[0].message


def test_longer_responses_than_in_the_previous_run_are_a_shift() -> None:
    before = detected(HEALTHY)
    longer = HEALTHY.with_records(lambda one: changed(one, response=one.response + " " * 300))
    report = detected(longer, previous=before)
    assert report.shift["response_chars"].psi > 0.25
    assert report.marginals["response_chars"].edges == before.marginals["response_chars"].edges


def test_difference_between_two_small_runs_is_laid_to_chance() -> None:
    before = detected(Dataset(people=20, records=HEALTHY.records[:100]))
    after = detected(Dataset(people=20, records=HEALTHY.records[100:200]), before)
    assert max(shift.psi for shift in after.shift.values()) > 0.1
    assert "distribution_shift" not in alerts(after)


def test_report_survives_being_stored() -> None:
    report = detected(HEALTHY)
    assert AnomalyReport.model_validate_json(report.model_dump_json()) == report
