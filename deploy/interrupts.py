"""Interrupts: what Ctrl-C, SIGTERM and a closed terminal do to a command. Light, as it is imported first of all."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

EXIT = 130
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave_at_once() -> None:
    """End this process quietly when it is interrupted: there is nothing to tidy up yet."""
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt inside when this process is interrupted."""
    with _handled(_interrupt):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Take no notice of interrupts inside, where a second Ctrl-C would leave half of the tidying up undone."""
    if threading.current_thread() is not threading.main_thread():
        yield  # interrupts reach the main thread only, and only it may say what they do
        return
    with _handled(signal.SIG_IGN):
        yield


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    # Whoever said nohup does not want to hear of a terminal that closes.
    numbers = [number for number in INTERRUPTS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    os._exit(EXIT)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
