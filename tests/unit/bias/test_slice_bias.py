"""Bias: real gaps in pass and safety rate are unfair; differences by design and small groups are not."""

from collections.abc import Callable
from dataclasses import replace

from functions.bias.slices import slice_bias
from shared.coach.scoring import Scores
from shared.records import DatasetRecord
from shared.reports import BiasReport, SliceGroup
from tests.datasets import Dataset, changed, reject, retagged, run_config

PEOPLE = 200
FAIR = Dataset.build(people=PEOPLE)


def sliced(dataset: Dataset) -> BiasReport:
    return slice_bias(dataset.lines, iter(dataset.rejects), run_config())


def rejecting(unlucky: Callable[[DatasetRecord], bool], **fields: object) -> Dataset:
    failed = tuple(reject(one, **fields) for one in FAIR.records if unlucky(one))  # type: ignore[arg-type]
    return replace(FAIR, records=tuple(one for one in FAIR.records if not unlucky(one)), rejects=failed)


def group(report: BiasReport, **slices: str) -> SliceGroup:
    return next(one for one in (*report.groups, *report.pairs) if one.slices == slices)


def test_fair_dataset_has_every_slice_and_pair_and_nothing_unfair() -> None:
    report = sliced(FAIR)
    assert report.unfair == ()
    assert report.dataset_safety_rate == 1
    assert sum(one.n for one in report.groups if "sex" in one.slices) == PEOPLE * 5
    assert len(report.groups) == 18
    assert {len(one.slices) for one in report.pairs} == {2}
    assert report.overall.estimates["pass_rate"].value == 1


def test_slice_that_is_rejected_more_often_is_unfair_with_its_numbers_in_words() -> None:
    report = sliced(rejecting(lambda one: one.context.slice_tags.sex == "other" and one.user_id[8] in "024"))
    gap = group(report, sex="other").gaps["pass_rate"]
    assert gap.high < 0
    assert any(text.startswith("sex other: pass rate") for text in report.unfair)


def test_pair_of_slices_can_be_unfair_where_no_slice_alone_is() -> None:
    def older_women(one: DatasetRecord) -> bool:
        tags = one.context.slice_tags
        return (tags.sex, tags.age_band) == ("female", "55+") and one.context.prompt_type != "coach_chat"

    report = sliced(rejecting(older_women))
    assert any(text.startswith("age_band 55+, sex female: pass rate") for text in report.unfair)
    assert "55+" in report.unfair[0]
    assert not any(text.startswith("goal_type") for text in report.unfair)


def test_unsafe_answers_to_one_slice_show_in_its_safety_rate() -> None:
    report = sliced(rejecting(lambda one: one.context.slice_tags.goal_type == "strength"))
    strength = group(report, goal_type="strength")
    assert strength.estimates["safety_rate"].value < 1
    assert any(text.startswith("goal_type strength: safety rate") for text in report.unfair)


def test_reject_for_another_reason_than_safety_leaves_the_safety_rate_whole() -> None:
    dull = Scores(format=1, safety=1, helpfulness=0.2, overall_pass=False)
    report = sliced(rejecting(lambda one: one.context.slice_tags.sex == "male", scores=dull))
    assert group(report, sex="male").estimates["safety_rate"].value == 1
    assert group(report, sex="male").estimates["pass_rate"].value == 0


def test_response_left_out_as_a_duplicate_counts_for_nothing() -> None:
    repeated = {"duplicate_of": "query-0000"}
    twins = tuple(reject(one, "near_duplicate").model_copy(update=repeated) for one in FAIR.records[:500])
    assert sliced(replace(FAIR, rejects=twins)) == sliced(FAIR)


def test_teacher_that_gave_no_answer_fails_without_being_unsafe() -> None:
    report = sliced(rejecting(lambda one: one.user_id[-1] == "3", scores=None))
    assert report.overall.estimates["pass_rate"].value == 0.9
    assert report.overall.estimates["safety_rate"].n == 900


def test_group_under_the_minimum_size_is_reported_but_not_judged() -> None:
    def two_others(one: DatasetRecord) -> DatasetRecord:
        return retagged(one, sex="other" if one.user_id in ("user-0001", "user-0002") else "male")

    few = FAIR.with_records(two_others)
    unlucky = replace(few, records=few.records[10:], rejects=tuple(reject(one) for one in few.records[5:15]))
    report = sliced(unlucky)
    small = group(report, sex="other")
    assert 0 < small.n < report.min_slice_size
    assert not small.judged
    assert small.gaps == {}
    assert not any("sex other" in text for text in report.unfair)


def test_group_that_is_nearly_everybody_is_not_judged_for_want_of_others() -> None:
    alike = FAIR.with_records(lambda one: retagged(one, sex="female"))
    assert not group(sliced(alike), sex="female").judged


def test_shorter_plans_for_people_with_a_condition_are_notable_and_not_unfair() -> None:
    def fewer(one: DatasetRecord) -> DatasetRecord:
        sick = one.context.slice_tags.condition_flag == "has_condition"
        return changed(one, weekly_sets=20) if sick and one.metadata.weekly_sets else one

    report = sliced(FAIR.with_records(fewer))
    assert report.unfair == ()
    assert any("condition_flag has_condition: weekly sets 20" in text for text in report.notable)


def test_unsafe_record_in_the_dataset_lowers_its_safety_rate() -> None:
    unsafe = Scores(format=1, safety=0.5, helpfulness=1, overall_pass=True)
    one = replace(FAIR, records=(changed(FAIR.records[0], scores=unsafe), *FAIR.records[1:]))
    assert sliced(one).dataset_safety_rate == 0.999


def test_order_of_the_records_changes_nothing() -> None:
    backwards = replace(FAIR, records=FAIR.records[::-1])
    assert sliced(backwards).pairs == sliced(FAIR).pairs


def test_empty_dataset_has_a_report_without_groups() -> None:
    report = sliced(Dataset(0, ()))
    assert report.groups == ()
    assert report.unfair == ()
