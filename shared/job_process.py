"""Job process: one attempt at a time at a command that outlives its launcher.

    FOLDER/command.json     what to run
    FOLDER/state.json       how the last attempt stands
    FOLDER/log              what all attempts said
    FOLDER/lock             held while one is under way

A keeper starts the command and notes its end. Both hold the lock, so that there is never a second attempt
beside a first, and whoever finds a state `running` without it held knows that the keeper was killed.
"""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import ValidationError

from shared.bus import Bus
from shared.errors import Rejected, Unavailable
from shared.frozen import Frozen
from shared.notifications import JobEnded
from shared.settings import environment
from shared.spool import write_whole

ROOT = Path(__file__).parents[1]

Begun = Literal["started", "running", "done"]
BEGUN: tuple[Begun, ...] = ("started", "running", "done")


class Command(Frozen):
    """What to run, and whose end to tell of on the bus."""

    arguments: tuple[str, ...]
    variables: dict[str, str]
    """On top of the launcher's environment."""
    job: str | None
    """The job that has ended when this does; None where somebody else tells of it."""


class Attempt(Frozen):
    """How the last attempt stands."""

    number: int
    status: Literal["running", "ended"]
    exit_status: int | None = None
    """Negative where a signal ended it; None where nobody saw how it ended."""
    pid: int | None = None
    began_s: float
    ended_s: float | None = None
    told: bool = False
    """Whether its end has been published."""


def begin(folder: Path, command: Command) -> Begun:
    """Start a command unless it is under way or has succeeded; raises Unavailable where it cannot be.

    What is started is the attempt after the one that is there now: of two that begin at once, the slower must not
    take the end of the other's attempt for a reason to make one more.
    """
    seen = look(folder) if folder.exists() else None
    number = seen.number + 1 if seen else 1
    write_whole(folder / "command.json", command.model_dump_json().encode())
    log = folder / "log"
    with open(log, "ab") as said:
        keeper = subprocess.Popen(  # noqa: S603 - it is this project's own
            (sys.executable, "-P", "-m", "shared.job_keeper", str(folder), str(number)),
            env=environment() | {"PYTHONPATH": str(ROOT)} | command.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
    with keeper.stdout or open(os.devnull, "rb") as answers:
        answer = answers.readline().decode().strip()
    keeper.wait()
    for word in BEGUN:
        if answer == word:
            return word
    raise Unavailable(f"could not start {folder.name}: {answer or 'its keeper died'}; see {log}")


def look(folder: Path) -> Attempt | None:
    """Return how the last attempt stands, noting an end that nobody saw; None where there was none."""
    found = read(folder)
    if found is None or found.status == "ended":
        return found
    lock = locked(folder)
    if lock is None:
        return found
    with lock:
        found = read(folder)  # it may have ended just before the lock was free
        if found is not None and found.status == "running":
            found = found.model_copy(update={"status": "ended", "ended_s": time.time()})
            write(folder, found)
        return found


def tell_of_unseen_end(folder: Path, bus: Bus) -> bool:
    """Publish the end of a command whose keeper was killed before it could; return whether that was done."""
    lock = locked(folder) if (folder / "state.json").exists() else None
    if lock is None:
        return False
    with lock:
        command = Command.model_validate_json((folder / "command.json").read_bytes())
        found = read(folder)
        if found is None or found.told or command.job is None:
            return False
        ended = {} if found.status == "ended" else {"status": "ended", "ended_s": time.time()}
        write(folder, found.model_copy(update=ended))
        tell(command.job, bus)
        write(folder, found.model_copy(update=ended | {"told": True}))
        return True


def locked(folder: Path) -> BinaryIO | None:
    """Return the folder's lock, held; None where somebody else holds it."""
    opened = open(folder / "lock", "wb")
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        opened.close()
        return None
    return opened


def read(folder: Path) -> Attempt | None:
    """Return what was last noted, which may be that something runs which was killed."""
    try:
        return Attempt.model_validate_json((folder / "state.json").read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as exc:
        raise Rejected(f"{folder / 'state.json'} is not the state of a job") from exc


def write(folder: Path, attempt: Attempt) -> None:
    """Note how an attempt stands."""
    write_whole(folder / "state.json", attempt.model_dump_json().encode())


def tell(job: str, bus: Bus) -> None:
    """Publish that a job has ended."""
    bus.publish(JobEnded(job=job))
    bus.flush()
