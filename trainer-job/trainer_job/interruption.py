"""Interruption: a job that is told to stop, by SIGTERM or Ctrl-C, stops where nothing is lost.

Almost everywhere that is at once, by an exception: what is written is whole or absent, and is found by the
next start. Training finishes its step first and writes a checkpoint; it asks `told`.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from shared.errors import FitsenseError

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Interrupted(FitsenseError):
    """The job was told to stop before it was done; starting it again goes on where it was."""


class Interruption:
    """Whether this process was told to stop."""

    def __init__(self) -> None:
        self.told = False
        self._waits = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear signals while the body runs: it ends with Interrupted."""
        before = {number: signal.signal(number, self._hear) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Only note a signal while the body runs, which looks at `told` and ends by itself."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del frame
        again, self.told = self.told, True
        if not (self._waits or again):
            raise Interrupted(f"stopped by {signal.Signals(number).name}; start it again to go on")
