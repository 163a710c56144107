"""The merged log: lines for the eye, files for each process, and a reader who may leave."""

import io
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local.merged_log import MergedLog, StreamConsole, readable


def test_a_line_of_json_is_read_as_level_message_and_fields() -> None:
    line = json.dumps(
        {"time": "12:00", "severity": "WARNING", "message": "worker died", "function": "gate", "exit": -9}
    )
    assert readable(line).plain == "warning worker died function=gate exit=-9"


def test_a_traceback_comes_below_its_line() -> None:
    line = json.dumps({"severity": "ERROR", "message": "failed", "traceback": "Traceback:\n  it broke"})
    assert readable(line).plain == "error failed\nTraceback:\n  it broke"


@pytest.mark.parametrize("line", ["listening on [::]:80", "{not json", '{"no": "message"}', '{"message": 5', "[1]", ""])
def test_any_other_line_is_shown_as_it_is(line: str) -> None:
    assert readable(line).plain == line


def test_each_process_has_a_file_that_begins_anew_with_every_stack(tmp_path: Path) -> None:
    for run in ("first", "second"):
        log = MergedLog(tmp_path / "log", None)
        log.line("pubsub", f"{run} line")
        log.line("functions:gate", "[red]not markup")
        log.close()
    assert (tmp_path / "log" / "pubsub.log").read_text() == "second line\n"
    assert (tmp_path / "log" / "functions:gate.log").read_text() == "[red]not markup\n"


def test_the_stream_names_who_says_what_and_breaks_no_line(tmp_path: Path) -> None:
    stream = io.StringIO()
    log = MergedLog(tmp_path, Console(file=stream, width=40))
    log.line("pubsub", "x" * 100)
    log.line("gate", "[red]not markup")
    log.close()
    assert [line.split() for line in stream.getvalue().splitlines()] == [
        ["pubsub", "x" * 100],
        ["gate", "[red]not", "markup"],
    ]


def test_the_latest_lines_of_a_process_are_remembered(tmp_path: Path) -> None:
    log = MergedLog(tmp_path, None)
    for number in range(100):
        log.line("gate", str(number))
    log.close()
    assert log.last_lines("gate") == [str(number) for number in range(80, 100)]
    assert log.last_lines("teacher") == []


def test_a_reader_who_leaves_stops_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), os.fdopen(writing, "w") as nobody_reads:
        log = MergedLog(tmp_path, StreamConsole(file=nobody_reads))
        log.line("gate", "one")
        log.line("gate", "two")
        log.close()
    assert (tmp_path / "gate.log").read_text() == "one\ntwo\n"
