"""Detached: a local stack in a session of its own, started and stopped from elsewhere."""

import subprocess
import time
from pathlib import Path

from deploy.local import state
from deploy.local.components import module_command, python_path
from deploy.local.stack import running
from deploy.local.state import LocalStackName, StackState
from shared.errors import Unavailable
from shared.settings import environment

ASK_EVERY_S = 0.1
DOWN_S = 40.0
"""How long a stack may take to stop of itself."""


def start_detached(stack: LocalStackName, out: Path, wanted: dict[str, int | bool | None]) -> StackState:
    """Start `fitsense up` in a session of its own, and return when everything serves; raises Unavailable.

    `wanted` are options of `fitsense up`, by name.
    """
    log = state.folder(out) / "log" / "up.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        told = log.open("ab")
    except OSError as exc:
        raise Unavailable(f"cannot write to {log.parent}: {exc.strerror}") from exc
    options = [f"--stack={stack}", f"--out={out}"]
    options += [f"--{name}" if value is True else f"--{name}={value}" for name, value in wanted.items() if value]
    with told:
        start = told.tell()
        process = subprocess.Popen(  # noqa: S603 - it is this program
            module_command("deploy", "up", *options),
            env=environment() | {"PYTHONPATH": python_path()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=told,
            start_new_session=True,
        )
    try:
        kept = _wait_for(process, out)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if kept is None:
        raise Unavailable(_last_error(log, start))
    return kept


def stop_detached(out: Path) -> str:
    """Stop the stack on a directory, and what it has left behind; returns what was done, in words."""
    found = state.read(out)
    kept = found is not None and found.keeper.process() is not None
    if found and kept:
        found.keeper.end(DOWN_S)
    elif not state.folder(out).is_dir():
        return f"no stack runs on {out}"
    with state.locked(out):
        left = state.clear(out)
    told = [f"stopped the {found.stack} stack on {out}"] if found and kept else []
    told += [f"killed {left} processes that a stack on {out} had left behind"] if left else []
    return "\n".join(told) or f"no stack runs on {out}"


def _wait_for(process: "subprocess.Popen[bytes]", out: Path) -> StackState | None:
    """Return the stack that a process keeps once it serves, or None where the process ended instead."""
    while process.poll() is None:
        found = running(out)
        if found and found.keeper.pid == process.pid:
            return found
        time.sleep(ASK_EVERY_S)
    return None


def _last_error(log: Path, start: int) -> str:
    """Return what a process wrote about its end."""
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace").strip()
    return text.rpartition("error: ")[2] or "it ended without a word"
