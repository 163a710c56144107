"""SSE: a stream of server-sent events as it passes through, and what it said when it is over.

What arrives is cut anywhere. Only whole events are passed on, so that an error can be told at any point, and the
bytes of an event are the model server's own: nothing is decoded on the way. What the answer was is read from the
pieces afterwards.
"""

from dataclasses import dataclass
from typing import Any

import orjson

END = b"\n\n"
DONE = b"data: [DONE]"
_WITHOUT_CHOICES = (b'"choices":[]', b'"choices": []')


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said."""

    text: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str | None = None
    error: str | None = None


class Passage:
    """Events on their way to one client."""

    def __init__(self, renames: tuple[tuple[bytes, bytes], ...], with_usage: bool) -> None:
        self._renames = renames
        self._with_usage = with_usage
        self._rest = b""
        self._seen: list[bytes] = []
        self.done = False
        """Whether the last event has come."""

    def take(self, piece: bytes) -> bytes:
        """Take what arrived; return the whole events that may go on."""
        data = self._rest + piece if self._rest else piece
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        end = data.rfind(END)
        if end < 0:
            self._rest = data
            return b""
        whole, self._rest = data[: end + 2], data[end + 2 :]
        self._seen.append(whole)
        self.done = self.done or whole.endswith(DONE + END)
        for old, new in self._renames:
            whole = whole.replace(old, new)
        return whole if self._with_usage else _without_usage(whole)

    def answer(self) -> Answer:
        """Return what has been said so far."""
        return read_events(b"".join(self._seen))


def _without_usage(events: bytes) -> bytes:
    """Leave out the event that holds the usage and no choice: a client that did not ask for it does not expect it."""
    if not any(mark in events for mark in _WITHOUT_CHOICES):
        return events
    kept = (event for event in events.split(END)[:-1] if not any(mark in event for mark in _WITHOUT_CHOICES))
    return b"".join(event + END for event in kept)


def read_events(events: bytes) -> Answer:
    """Return what the events of a stream say together; what is no completion is passed over."""
    texts: list[str] = []
    usage: dict[str, int] = {}
    finish: str | None = None
    error: str | None = None
    for line in events.split(b"\n"):
        chunk = _chunk(line)
        if "error" in chunk:
            error = _message(chunk["error"])
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices") or ():
            texts.append((choice.get("delta") or {}).get("content") or "")
            finish = choice.get("finish_reason") or finish
    return Answer("".join(texts), usage.get("prompt_tokens"), usage.get("completion_tokens"), finish, error)


def read_completion(body: bytes) -> Answer:
    """Return what a completion in one piece says."""
    found = _object(body)
    usage = found.get("usage") or {}
    choice: dict[str, Any] = next(iter(found.get("choices") or ()), {})
    text = (choice.get("message") or {}).get("content") or ""
    return Answer(text, usage.get("prompt_tokens"), usage.get("completion_tokens"), choice.get("finish_reason"))


def error_message(body: bytes) -> str:
    """Return what an error body of a model server says."""
    found = _object(body)
    return _message(found.get("error", found.get("detail", found.get("message")))) or body[:200].decode(
        errors="replace"
    )


def _message(error: object) -> str:
    return str(error.get("message", error)) if isinstance(error, dict) else str(error or "")


def _chunk(line: bytes) -> dict[str, Any]:
    return _object(line[6:]) if line.startswith(b"data: {") else {}


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
