"""Recorded: answers that an earlier run or another tool wrote down, as JSON lines.

    {"query_id": "…" and/or "instruction": "…", "response": "…", "model": "…"?}

Other fields are ignored, so a run's own teacher or dataset files will do. A query is looked up by
its id, then by its rendered user message; of several answers the first in the file counts. The
file is read once per shard, and only what the shard asks for is kept.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ValidationError, model_validator

from functions.teacher.asks import Ask, Reply
from shared.errors import Rejected
from shared.records import TeacherCall

LONGEST_LINE_BYTES = 1 << 20
MOST_FAULTS = 20
NOT_RECORDED = "not recorded"


class RecordedLine(BaseModel):
    """One recorded answer."""

    query_id: str | None = None
    instruction: str | None = None
    response: str
    model: str | None = None

    @model_validator(mode="after")
    def _says_to_what(self) -> "RecordedLine":
        if self.query_id is None and self.instruction is None:
            raise ValueError('needs "query_id" or "instruction"')
        return self


class RecordedAnswers:
    """A teacher that knows what is in a file, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask_all(self, asks: Sequence[Ask]) -> list[Reply]:
        """Return the recorded replies; raises Rejected, naming the lines that are wrong."""
        known = self._find({ask.query_id for ask in asks}, {ask.prompt.user for ask in asks})
        return [_reply(ask, known) for ask in asks]

    def _find(self, query_ids: set[str], instructions: set[str]) -> dict[tuple[str, str], RecordedLine]:
        """Return what the file has of these, by ("query", id) and ("instruction", text)."""
        known: dict[tuple[str, str], RecordedLine] = {}
        faults: list[str] = []
        for number, raw in self._lines():
            try:
                line = _parse(raw)
            except Rejected as fault:
                faults.append(f"line {number}: {fault}")
                continue
            if line.query_id in query_ids:
                known.setdefault(("query", line.query_id), line)
            elif line.instruction in instructions:
                known.setdefault(("instruction", line.instruction), line)
        if faults:
            raise Rejected(f"teacher.path {self._path}: {_listed(faults)}")
        return known

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        try:
            with self._path.open("rb") as file:
                yield from _numbered_lines(file)
        except OSError as error:
            raise Rejected(f"teacher.path {self._path} cannot be read: {error.strerror}") from None


def _numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield what is not blank, cutting lines that are too long to hold."""
    number = 0
    while line := file.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        if line.strip():
            yield number, line
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE_BYTES)


def _parse(raw: bytes) -> RecordedLine:
    if len(raw) > LONGEST_LINE_BYTES:
        raise Rejected(f"longer than {LONGEST_LINE_BYTES} bytes")
    try:
        return RecordedLine.model_validate_json(raw)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise Rejected(f"{where}: {fault['msg']}" if where else fault["msg"]) from None


def _reply(ask: Ask, known: dict[tuple[str, str], RecordedLine]) -> Reply:
    line = known.get(("query", ask.query_id)) or known.get(("instruction", ask.prompt.user))
    if line is None:
        missing = TeacherCall(attempts=0, finish_reason="error")
        return Reply(ask.query_id, "", missing, error=NOT_RECORDED)
    return Reply(ask.query_id, line.response, TeacherCall(attempts=0), model=line.model)


def _listed(faults: list[str]) -> str:
    more = len(faults) - MOST_FAULTS
    return "; ".join(faults[:MOST_FAULTS]) + (f"; and {more} more" if more > 0 else "")
