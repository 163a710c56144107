"""Validation: a healthy dataset has no fault, and each fault is found where it is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.validate.checks import validate
from shared.coach.scoring import Scores
from shared.reports import ValidationReport
from tests.datasets import Dataset, changed, reject

HEALTHY = Dataset.build(people=20)


def found(dataset: Dataset) -> ValidationReport:
    return validate(dataset.manifest, dataset.files)


def with_first_record(change: Callable[..., object], **fields: object) -> Dataset:
    return replace(HEALTHY, records=(change(HEALTHY.records[0], **fields), *HEALTHY.records[1:]))


def test_healthy_dataset_has_no_fault_and_every_record_is_counted() -> None:
    report = found(replace(HEALTHY, records=HEALTHY.records[1:], rejects=(reject(HEALTHY.records[0]),)))
    assert report.valid
    assert report.faults == ()
    assert report.records == 99
    assert report.splits == {"train": 79, "val": 10, "test": 10}
    assert report.users == {"train": 16, "val": 2, "test": 2}


@pytest.mark.parametrize("name", ["all_records.jsonl", "val.jsonl", "chat_test.jsonl", "rejects.jsonl"])
def test_file_that_is_gone_is_reported_by_name(name: str) -> None:
    report = found(HEALTHY.without(name))
    assert not report.valid
    assert ("file_missing", name) in {(fault.kind, fault.file) for fault in report.faults}


@pytest.mark.parametrize("name", ["all_records.jsonl", "train.jsonl", "chat_train.jsonl"])
def test_file_that_lost_its_last_line_has_other_count_size_and_digest_than_the_manifest(name: str) -> None:
    report = found(HEALTHY.tampered(name, lambda lines: lines[:-1]))
    faults = [fault for fault in report.faults if fault.file == name]
    assert {f.field for f in faults if f.kind == "not_as_in_manifest"} == {"records", "bytes", "sha256"}


def test_one_changed_byte_is_found_by_its_digest() -> None:
    def flip(lines: list[bytes]) -> list[bytes]:
        return [lines[0].replace(b"Person 8", b"Person 9"), *lines[1:]]

    report = found(HEALTHY.tampered("val.jsonl", flip))
    assert [(fault.kind, fault.file, fault.field) for fault in report.faults] == [
        ("not_as_in_manifest", "val.jsonl", "sha256")
    ]


def test_file_that_the_manifest_does_not_list_is_reported() -> None:
    files = {name: file for name, file in HEALTHY.manifest.files.items() if name != "rejects.jsonl"}
    report = validate(HEALTHY.manifest.model_copy(update={"files": files}), HEALTHY.files)
    assert report.fault_counts == {"not_in_manifest": 1}


def test_split_file_with_other_records_than_all_records_says_is_found_even_if_the_manifest_fits_it() -> None:
    last = changed(HEALTHY.records[-1], summary="9 weeks")
    other = replace(HEALTHY, records=(*HEALTHY.records[:-1], last))
    files = HEALTHY.manifest.files | {"test.jsonl": other.manifest.files["test.jsonl"]}
    mixed = HEALTHY.tampered("test.jsonl", lambda _: list(other.files("test.jsonl")))
    report = validate(HEALTHY.manifest.model_copy(update={"files": files}), mixed.files)
    assert [(fault.kind, fault.file) for fault in report.faults] == [("split_differs", "test.jsonl")]


def test_line_that_is_no_json_is_reported_with_its_number() -> None:
    report = found(HEALTHY.tampered("all_records.jsonl", lambda lines: [lines[0], b"{half", *lines[2:]]))
    assert [fault.line for fault in report.faults if fault.kind == "malformed_line"] == [2]


def test_line_without_a_field_is_reported_with_the_field() -> None:
    def drop(lines: list[bytes]) -> list[bytes]:
        return [*lines[:4], lines[4].replace(b'"user_id":"user-0000",', b"", 1), *lines[5:]]

    report = found(HEALTHY.tampered("all_records.jsonl", drop))
    assert [(f.line, f.field) for f in report.faults if f.kind == "malformed_line"] == [(5, "user_id")]


@pytest.mark.parametrize("field", ["instruction", "response"])
def test_text_of_nothing_but_blanks_is_a_fault(field: str) -> None:
    report = found(with_first_record(changed, **{field: " \n "}))
    assert ("empty_text", 1, field) in {(fault.kind, fault.line, fault.field) for fault in report.faults}


def test_response_that_is_not_in_the_wire_form_is_a_fault() -> None:
    report = found(with_first_record(changed, response="Sure! Here is your plan: squats."))
    assert report.fault_counts == {"not_wire_form": 1}


def test_of_a_large_dataset_every_response_is_at_least_a_json_object() -> None:
    large = Dataset.build(people=200)
    broken = {record.record_id for record in large.records[::7]}
    words = "Sure, here is your plan."
    report = found(large.with_records(lambda r: changed(r, response=words) if r.record_id in broken else r))
    assert report.decoded == 500
    assert report.fault_counts["not_wire_form"] == len(broken)


def test_record_whose_scores_did_not_pass_has_no_place_in_a_dataset() -> None:
    failed = Scores(format=1, safety=0, helpfulness=1, overall_pass=False)
    assert found(with_first_record(changed, scores=failed)).fault_counts == {"not_accepted": 1}


def test_record_id_that_stands_twice_is_a_fault_that_names_both() -> None:
    report = found(with_first_record(changed, record_id=HEALTHY.records[3].record_id))
    [fault] = report.faults
    assert (fault.kind, fault.line) == ("record_id_twice", 4)
    assert "record number 1" in fault.message


def test_user_in_train_and_test_is_a_leak() -> None:
    report = found(with_first_record(changed, user_id=HEALTHY.records[-1].user_id))
    leaks = [fault for fault in report.faults if fault.kind == "user_in_two_splits"]
    assert [(fault.file, fault.line) for fault in leaks] == [("train.jsonl", 1)]
    assert "test.jsonl" in leaks[0].message


def test_pair_that_stands_word_for_word_in_two_splits_is_a_leak() -> None:
    last = HEALTHY.records[-1]
    report = found(
        replace(
            HEALTHY,
            records=(
                changed(
                    HEALTHY.records[0],
                    instruction=last.instruction,
                    response=last.response,
                    prompt_type=last.context.prompt_type,
                ),
                *HEALTHY.records[1:],
            ),
        )
    )
    assert report.fault_counts == {"pair_in_two_splits": 1}
    assert report.faults[0].file == "train.jsonl"


def test_conversation_that_does_not_say_what_its_record_says_is_a_fault() -> None:
    report = found(HEALTHY.tampered("chat_val.jsonl", lambda lines: [lines[1], lines[0], *lines[2:]]))
    assert [fault.line for fault in report.faults if fault.kind == "chat_differs"] == [1, 2]


@pytest.mark.parametrize(
    "line", [b"[]", b"x", b'{"messages": []}', b'{"messages": [{"role": "user", "content": "a"}]}']
)
def test_conversation_of_another_shape_is_a_fault(line: bytes) -> None:
    report = found(HEALTHY.tampered("chat_val.jsonl", lambda lines: [line, *lines[1:]]))
    assert report.fault_counts["malformed_chat"] == 1


def test_missing_conversation_is_a_fault() -> None:
    report = found(HEALTHY.tampered("chat_val.jsonl", lambda lines: lines[:-1]))
    assert "9 conversations for 10" in next(f.message for f in report.faults if f.kind == "chat_differs")


def test_reject_that_gives_no_reason_is_a_fault() -> None:
    silent = reject(HEALTHY.records[0]).model_copy(update={"reasons": ()})
    assert "reject_without_reason" in found(replace(HEALTHY, rejects=(silent,))).fault_counts


def test_totals_that_do_not_add_up_are_faults_of_the_manifest() -> None:
    wrong = {"records": 99, "splits": {"train": 79, "val": 10, "test": 10}}
    report = validate(HEALTHY.manifest.model_copy(update=wrong), HEALTHY.files)
    fields = {fault.field for fault in report.faults if fault.kind == "wrong_total"}
    assert fields == {"records", "splits.train", "responses"}


def test_only_the_first_200_faults_are_listed_but_all_are_counted() -> None:
    large = Dataset.build(people=50).with_records(lambda one: changed(one, response="no"))
    report = found(large)
    assert len(report.faults) == 200
    assert report.fault_counts["not_wire_form"] == 250
