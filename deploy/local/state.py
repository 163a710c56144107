"""State: what a stack is made of, on disk, for other commands and for the next start after a kill -9.

DIR/.stack/state.json     the stack, its processes, and the environment by which clients find it
DIR/.stack/lock           held by the process that keeps the stack, as long as it lives
DIR/.stack/log/           a file for each process
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psutil
from pydantic import ValidationError

from deploy.local.identity import ProcessIdentity
from deploy.local.processes import Liveness
from shared.errors import Conflict, Unavailable
from shared.frozen import Frozen

FOLDER = ".stack"
MARKER = "FITSENSE_STACK_FOLDER"
"""The variable that every process of a stack carries, and whatever it starts."""
DYING_S = 10.0

LocalStackName = Literal["embedded", "emulators"]


class ComponentState(Frozen):
    """A process of the stack, as it was last heard of."""

    name: str
    state: Liveness
    port: int | None
    process: ProcessIdentity | None
    starts: int
    began_at: float

    @property
    def restarts(self) -> int:
        """How often it had to be started again."""
        return max(0, self.starts - 1)


class StackState(Frozen):
    """A stack, as the process that keeps it last wrote it down."""

    stack: LocalStackName
    out: Path
    ready: bool
    """Whether everything has been up once."""
    keeper: ProcessIdentity
    environment: dict[str, str]
    components: tuple[ComponentState, ...]


def folder(out: Path) -> Path:
    """Return where a directory's stack keeps what it needs."""
    return out.absolute() / FOLDER


def read(out: Path) -> StackState | None:
    """Return the state of a directory's stack, whether it still runs or not; None where there never was one."""
    try:
        return StackState.model_validate_json((folder(out) / "state.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def write(state: StackState) -> None:
    """Write a stack's state, whole."""
    file = folder(state.out) / "state.json"
    new = file.with_name("state.json.new")
    new.write_text(state.model_dump_json(indent=2) + "\n")
    new.replace(file)


def forget(out: Path) -> None:
    """Forget a stack that was stopped."""
    (folder(out) / "state.json").unlink(missing_ok=True)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold a directory's stack; raises Conflict where another process does, Unavailable where nothing can be written.

    The system lets the lock go when this process ends, however it ends.
    """
    try:
        folder(out).mkdir(parents=True, exist_ok=True)
        lock = os.open(folder(out) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise Unavailable(f"cannot write to {folder(out)}: {exc.strerror}") from exc
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(lock)
        found = read(out)
        who = f" by process {found.keeper.pid}" if found else ""
        raise Conflict(
            f"a stack is already kept in {out}{who}; see `fitsense status`, stop it by `fitsense down`"
        ) from exc
    try:
        yield
    finally:
        os.close(lock)


def clear(out: Path) -> int:
    """Kill what a stack left behind whose keeper is gone; returns how many processes that were."""
    found = read(out)
    noted = {component.process for component in found.components if component.process} if found else set()
    left = [one for one in noted | set(_marked(str(folder(out)))) if one.process() is not None]
    for one in left:
        one.kill()
    deadline = time.monotonic() + DYING_S
    while any(one.process() for one in left) and time.monotonic() < deadline:
        time.sleep(0.02)
    forget(out)
    return len(left)


def _marked(value: str) -> Iterator[ProcessIdentity]:
    """Yield the processes that carry a stack's marker, as far as this user may look."""
    for process in psutil.process_iter(["create_time", "environ"]):
        if (process.info["environ"] or {}).get(MARKER) == value:
            yield ProcessIdentity(pid=process.pid, created_at=process.info["create_time"])
