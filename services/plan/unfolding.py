"""Unfolding: the days of a plan, told apart while a model still writes it.

Fed with text as it comes, an `Unfolding` yields each day the moment its object is closed. It finds days by
depth and quotes alone and leaves the reading to `wire.decode`, so that a day that is shown was read in the
very way in which the whole answer will be. A day that cannot be read raises the WireError.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from shared.coach.plan import PlanAnswer, PlanDay
from shared.coach.wire import decode

MOST_DAYS: Final = 7
_REPLY: Final = re.compile(r'"reply":"((?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)')
"""The longest beginning of a reply that can be read."""
_DAYS_DEPTH: Final = 4
"""The answer, its plan, the list of days, a day: how many brackets are open within a day."""


class Unfolding:
    """The part of an answer that is there already."""

    def __init__(self) -> None:
        self.text = ""
        self._read = 0
        self._open: list[str] = []
        self._in_text = False
        self._escaped = False
        self._day_at: int | None = None
        self._key_at: int | None = None
        self._key = ""
        self._keys: list[str] = []
        self._days = 0

    def feed(self, piece: str) -> Iterator[PlanDay]:
        """Take more of the text; yields the days that it completes. Raises WireError for one that cannot be read."""
        self.text += piece
        while self._read < len(self.text):
            at = self._read
            self._read += 1
            if self._step(self.text[at], at) and self._days < MOST_DAYS:
                start, self._day_at = self._day_at, None
                self._days += 1
                yield _read_day(self.text[start : at + 1])

    def _step(self, character: str, at: int) -> bool:
        """Take one character in; returns whether it closes a day."""
        if self._in_text:
            self._step_in_text(character, at)
            return False
        if character == '"':
            self._in_text, self._key_at = True, at + 1
        elif character in "{[":
            self._open.append(character)
            self._keys.append(self._key)
            if character == "{" and self._is_day():
                self._day_at = at
        elif character in "}]" and self._open:
            self._open.pop()
            self._keys.pop()
            return character == "}" and self._day_at is not None and len(self._open) == _DAYS_DEPTH - 1
        return False

    def _step_in_text(self, character: str, at: int) -> None:
        if self._escaped:
            self._escaped = False
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            self._in_text = False
            self._key = self.text[self._key_at : at]

    def _is_day(self) -> bool:
        return self._open == ["{", "{", "[", "{"] and self._keys[1] == "plan" and self._keys[2] == "days"


def _read_day(text: str) -> PlanDay:
    """Read one day as the whole answer would be read."""
    plan = f'{{"name":"-","goal":"strength","days":[{text}]}}'
    answer = decode(f'{{"escalation":"none","plan":{plan},"explanation":"-","safety_notes":[]}}', "plan_creation")
    assert isinstance(answer, PlanAnswer)  # noqa: S101  decode answers plan_creation with nothing else
    assert answer.plan is not None  # noqa: S101
    return answer.plan.days[0]


def unfold_reply(text: str) -> str:
    """Return as much of a chat answer's reply as stands in a text that is still being written."""
    found = _REPLY.search(text)
    if found is None:
        return ""
    reply: str = json.loads(f'"{found[1]}"', strict=False)
    return reply.encode("utf-8", "ignore").decode()
