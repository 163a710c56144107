"""Pull: subscriptions whose subscriber asks for messages, because nothing can reach it to push them.

The port is `Subscription`. Delivery is at least once: a message that is neither acknowledged nor extended
in time is given out again, to whoever asks.
"""

import os
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.bus import Message
from shared.errors import Rejected
from shared.spool import names, on_disk, read

LOOK_EVERY_S = 0.05
OUT = "~"
"""Stands in a file's name between the message's and the mark of the one who has it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was given out, and the id to acknowledge it by."""

    ack_id: str
    message: Message


class Subscription(Protocol):
    """What a subscriber asks. Every method raises Unavailable where the bus cannot be reached."""

    def pull(self, max_messages: int, wait_s: float) -> list[Received]:
        """Return messages, as soon as there are any; none where none comes while it waits."""

    def ack(self, ack_ids: Iterable[str]) -> None:
        """Say that messages are done with. One whose time was up may be given out again all the same."""

    def extend(self, ack_ids: Iterable[str], seconds: float) -> None:
        """Have messages for so long from now; 0 gives them back at once."""


class SpoolSubscription:
    """A folder of the spool. What is given out bears a mark in its name, and until when in its modification time.

    Times are this machine's clock, which all of a spool's subscribers share.
    """

    def __init__(self, folder: Path, lease_s: float = 60) -> None:
        self._folder = folder
        self._lease_s = lease_s

    def pull(self, max_messages: int, wait_s: float) -> list[Received]:
        """Look for messages until there are some."""
        deadline = time.monotonic() + wait_s
        while True:
            found = self._take(max_messages)
            if found or time.monotonic() >= deadline:
                return found
            time.sleep(LOOK_EVERY_S)

    def ack(self, ack_ids: Iterable[str]) -> None:
        """Delete messages that are still the subscriber's."""
        for ack_id in ack_ids:
            file = self._file(ack_id)
            with on_disk(file):
                file.unlink(missing_ok=True)

    def extend(self, ack_ids: Iterable[str], seconds: float) -> None:
        """Set another time on messages that are still the subscriber's."""
        for ack_id in ack_ids:
            _lease(self._file(ack_id), seconds)

    def _take(self, max_messages: int) -> list[Received]:
        with on_disk(self._folder / "x"):
            found: list[Received] = []
            for name in names(self._folder):
                if len(found) == max_messages:
                    break
                if (received := self._claim(name)) is not None:
                    found.append(received)
            return found

    def _claim(self, name: str) -> Received | None:
        """Take a message that nobody has, or has no longer; None where somebody has it, or was faster."""
        there = self._folder / name
        plain, _, mark = name.partition(OUT)
        try:
            if mark and there.stat().st_mtime > time.time():
                return None
            # The time first: once the mark is in the name, a time that is over would invite the next one.
            _lease(there, self._lease_s)
            mine = self._folder / f"{plain}{OUT}{uuid.uuid4().hex}"
            os.rename(there, mine)
            return Received(mine.name, read(mine).message)
        except FileNotFoundError:
            return None

    def _file(self, ack_id: str) -> Path:
        if "/" in ack_id or OUT not in ack_id:
            raise Rejected(f"{ack_id!r} is no id of a message that was given out")
        return self._folder / ack_id


def _lease(file: Path, seconds: float) -> None:
    """Set until when a message is given out, if it is still there under this name."""
    until = time.time() + seconds
    with on_disk(file), suppress(FileNotFoundError):
        os.utime(file, (until, until))
