"""Emulators: Google's Pub/Sub and Firestore, run for tests by java directly, each on a port of its own.

`tests/contract/conftest.py` makes session fixtures of them; pytest-xdist's workers start their own.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from unittest import mock

import pytest

from deploy.local.ports import HOST, Ports
from deploy.local.readiness import answers
from deploy.local.sdk import Emulator, Jars, find_jars
from shared.errors import Unavailable

START_S = 60


def jars() -> Jars:
    """Return this machine's emulators, or skip the test saying what to install."""
    found, missing = find_jars(os.environ)
    if found is None:
        pytest.skip(f"this test needs {' and '.join(missing)}")
    return found


@contextmanager
def emulator(which: Emulator) -> Iterator[str]:
    """Run an emulator; yields its host and port, once it answers."""
    with closing(Ports()) as ports, running(jars(), which, ports.reserve()) as host:
        yield host


@contextmanager
def running(found: Jars, which: Emulator, port: int) -> Iterator[str]:
    """Run an emulator on a port that the caller has reserved; it ends as `kill -9` ends it."""
    command = found.command(which, port)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(port))
            yield f"{HOST}:{port}"
        finally:
            process.kill()


def wait_until(answered: Callable[[], None], patience_s: float = START_S) -> None:
    """Ask until the answer is not Unavailable."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return answered()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, which Google's clients read when they are made."""
    with mock.patch.dict(os.environ, variables):
        yield
