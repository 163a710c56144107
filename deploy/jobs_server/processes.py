"""Processes: each job that the server runs has a folder, with what was asked for and how it stands."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shared.job_process import ROOT, Attempt, Command, begin, look, read
from shared.process_jobs import TRAINER, trainer_command
from shared.settings import Settings
from shared.spool import write_whole

ASKED = "asked.pb"
TOLD = "told"
SIGNALLED = 128
PREEMPTED = 50001
"""Batch's exit code of a task whose Spot VM was taken away."""


class JobFolder:
    """A job's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The last part of the job's name."""
        return self.path.name

    def ask(self, asked: bytes) -> None:
        """Keep what was asked for; from then on there is such a job."""
        write_whole(self.path / ASKED, asked)

    def asked(self) -> bytes | None:
        """Return what was asked for; None where nothing was."""
        try:
            return (self.path / ASKED).read_bytes()
        except FileNotFoundError:
            return None

    def begin(self, arguments: Sequence[str], variables: dict[str, str], settings: Settings) -> None:
        """Start the trainer, in its environment, unless it is under way."""
        place = {"PYTHONPATH": f"{ROOT}:{TRAINER}", "PYTHONUNBUFFERED": "1"}
        command = Command(arguments=(*trainer_command(settings), *arguments), variables=place | variables, job=None)
        begin(self.path, command)

    def attempt(self) -> Attempt | None:
        """Return how the last attempt stands."""
        return look(self.path)

    def exit_code(self, attempt: Attempt) -> int:
        """Return the exit code that an ended attempt has on Google's services."""
        if (self.path / f"preempted-{attempt.number}").exists():
            return PREEMPTED
        if attempt.exit_status is None:
            return SIGNALLED + signal.SIGKILL
        return SIGNALLED - attempt.exit_status if attempt.exit_status < 0 else attempt.exit_status

    def preempt(self) -> None:
        """Take the machine away from under the job."""
        running = read(self.path)
        if running is not None and running.status == "running" and running.pid is not None:
            (self.path / f"preempted-{running.number}").touch()
            with suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGKILL)

    def is_told(self) -> bool:
        """Return whether the job's end has been published."""
        return (self.path / TOLD).exists()

    def note_told(self) -> None:
        """Note that the job's end has been published."""
        (self.path / TOLD).touch()


def folders(root: Path) -> list[JobFolder]:
    """Return the jobs below a folder, by name."""
    found = [JobFolder(path) for path in sorted(root.iterdir())] if root.is_dir() else []
    return [one for one in found if one.asked() is not None]
