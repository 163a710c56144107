"""Recorded: what a file of answers gives, and how it is refused."""

import json
from pathlib import Path

import pytest

from functions.teacher.asks import Ask
from functions.teacher.recorded import NOT_RECORDED, RecordedAnswers
from shared.errors import Rejected
from shared.prompt import Prompt

ASKS = [Ask(name, Prompt("system", f"user {name}"), "coach_chat") for name in "abc"]


def recording(folder: Path, *lines: object) -> RecordedAnswers:
    path = folder / "answers.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return RecordedAnswers(path)


def test_answers_are_found_by_id_then_by_instruction_in_the_order_of_the_asks(tmp_path: Path) -> None:
    teacher = recording(
        tmp_path,
        {"instruction": "user c", "response": "to c", "model": "big", "extra": {"x": 1}},
        {"instruction": "user a", "response": "by instruction"},
        {"query_id": "a", "response": "by id"},
        {"query_id": "of another run", "instruction": "user b", "response": "to b"},
    )
    replies = teacher.ask_all(ASKS)
    assert [(reply.query_id, reply.text, reply.model) for reply in replies] == [
        ("a", "by id", None),
        ("b", "to b", None),
        ("c", "to c", "big"),
    ]


def test_of_two_answers_the_first_counts(tmp_path: Path) -> None:
    teacher = recording(tmp_path, {"query_id": "a", "response": "first"}, {"query_id": "a", "response": "second"})
    assert teacher.ask_all(ASKS[:1])[0].text == "first"


def test_a_query_without_an_answer_says_so(tmp_path: Path) -> None:
    reply = recording(tmp_path).ask_all(ASKS[:1])[0]
    assert (reply.text, reply.error, reply.call.finish_reason) == ("", NOT_RECORDED, "error")


def test_each_wrong_line_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    teacher = recording(
        tmp_path,
        {"query_id": "a", "response": "good"},
        "not json",
        "",
        {"response": "to nothing"},
        {"query_id": "b", "response": {"an": "object"}},
        {"query_id": "c", "response": "x" * 1_100_000},
        {"query_id": "c"},
    )
    with pytest.raises(Rejected) as refused:
        teacher.ask_all(ASKS)
    told = str(refused.value)
    assert "line 2: Invalid JSON" in told
    assert 'line 4: Value error, needs "query_id" or "instruction"' in told
    assert "line 5: response: Input should be a valid string" in told
    assert "line 6: longer than" in told
    assert "line 7: response: Field required" in told
    assert "line 1:" not in told
    assert "line 3:" not in told


def test_bytes_that_are_no_text_are_a_wrong_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'{"query_id": "a", "response": "\xff"}\n')
    with pytest.raises(Rejected, match="line 1"):
        RecordedAnswers(path).ask_all(ASKS)


def test_a_missing_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"teacher\.path .*nowhere.*No such file"):
        RecordedAnswers(tmp_path / "nowhere").ask_all(ASKS)
