"""Killing: run the command line with a death planned: `python -m tests.e2e.killing PLACE ARTIFACT run CONFIG ...`.

PLACE is `before` an artifact is begun, in the `middle` of writing it, or `after` it is there and before the
event that follows is published. ARTIFACT is part of its name. The whole process group dies by SIGKILL, as
when the machine loses power.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deploy.cli import main
from shared.artifacts import DirectoryStore, Writer

original: Callable[..., Any] = DirectoryStore.writer


def die() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


class DyingWriter:
    created = False

    def __init__(self, file: Writer) -> None:
        self._file = file

    def write(self, data: bytes) -> None:
        self._file.write(data[: len(data) // 2])
        die()


def plan(place: str, artifact: str) -> None:
    @contextmanager
    def writer(self: DirectoryStore, name: str, durable: bool = True) -> Iterator[Any]:
        fatal = artifact in name
        if fatal and place == "before":
            die()
        with original(self, name, durable) as file:
            yield DyingWriter(file) if fatal and place == "middle" else file
        if fatal and place == "after":
            die()

    DirectoryStore.writer = writer  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    plan(sys.argv[1], sys.argv[2])
    main(sys.argv[3:])
