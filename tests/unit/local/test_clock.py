"""The local stacks' clock sends what Cloud Scheduler sends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.local.clock import scheduled
from shared.events import MonitorDue
from shared.settings import environment

PATIENCE_S = 60


def test_what_is_scheduled_are_events_of_their_topics() -> None:
    assert scheduled() == [MonitorDue(schedule="monitor")]


def test_it_publishes_again_and_again_and_ends_when_told_to(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "deploy.local.clock", "--every-s=0.01", f"--ready-file={tmp_path / 'ready'}")
    told = environment() | {"FITSENSE_OUT": str(tmp_path), "FITSENSE_STACK": "embedded"}
    process = subprocess.Popen(command, env=told, cwd=Path(__file__).parents[3])
    deadline = time.monotonic() + PATIENCE_S
    while len(list((tmp_path / "bus").rglob("*"))) < 10:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (tmp_path / "ready").exists()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(PATIENCE_S) in (1, 130)
