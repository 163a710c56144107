"""Every test: no environment of the developer's, and no network beyond this machine."""

import os
import signal
import socket
from importlib.util import find_spec
from typing import Any

import pytest

LOOPBACK = ("127.", "::1", "localhost")


def pytest_configure() -> None:
    """Hear signals: what a background job or nohup ignores, programs that tests start would ignore as well."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_report_header() -> list[str]:
    """Say what is not run here."""
    return (
        []
        if find_spec("torch")
        else ["trainer: its tests need its own environment and are not run here: make test-trainer"]
    )


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FITSENSE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
