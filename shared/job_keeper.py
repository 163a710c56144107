"""Job keeper: `python -m shared.job_keeper FOLDER ATTEMPT`: starts a folder's command once, and tells of its end.

It answers on standard output whether the command was `started`, is `running` already or was `done` before.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from shared.job_process import Attempt, Begun, Command, locked, read, tell, write
from shared.runtime import runtime
from shared.settings import environment

LOOKS = 10
LOOK_EVERY_S = 0.02


def keep(folder: Path, number: int) -> int:
    """Run a folder's command as its attempt of that number, and tell on standard output whether it began."""
    lock = _lock_of(folder)
    if lock is None:
        return _answer("running")
    before = read(folder)
    if before is not None and before.exit_status == 0:
        return _answer("done")
    if before is not None and before.number >= number:
        return _answer("running")
    command = Command.model_validate_json((folder / "command.json").read_bytes())
    attempt = Attempt(number=number, status="running", began_s=time.time())
    write(folder, attempt)
    process = _start(folder, command, lock)
    write(folder, attempt.model_copy(update={"pid": process.pid}))
    _answer("started")
    status = process.wait()
    ended = attempt.model_copy(update={"status": "ended", "exit_status": status, "ended_s": time.time()})
    write(folder, ended)
    if command.job is not None:
        tell(command.job, runtime().bus)
        write(folder, ended.model_copy(update={"told": True}))
    return 0


def _lock_of(folder: Path) -> BinaryIO | None:
    """Return the folder's lock; one who only looks at the folder has it for a moment."""
    for _ in range(LOOKS):
        lock = locked(folder)
        if lock is not None:
            return lock
        time.sleep(LOOK_EVERY_S)
    return None


def _start(folder: Path, command: Command, lock: BinaryIO) -> "subprocess.Popen[bytes]":
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(  # noqa: S603 - the commands are this project's own
            command.arguments,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock.fileno(),),
        )

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        with suppress(ProcessLookupError):
            process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    return process


def _answer(word: Begun) -> int:
    """Tell the launcher, which may be gone, and let go of the pipe to it."""
    with suppress(BrokenPipeError):
        os.write(1, f"{word}\n".encode())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Keep the command of the folder that the first argument names, as nobody's child."""
    if os.fork():
        os._exit(0)
    return keep(Path(arguments[0]), int(arguments[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
