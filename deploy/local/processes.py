"""Processes: programs kept running: started again when they die, and stopped without leaving anything behind.

Each program runs in a session of its own, so that a Ctrl-C at the terminal is this process's to handle and
whatever the program starts can be killed with it. Each has one thread here, which lives as long as the
program: Linux kills a program whose parent asked for that when the thread that started it ends.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from deploy.local.identity import ProcessIdentity
from shared.errors import Unavailable
from shared.settings import environment

FIRST_BACKOFF_S = 0.2
MAX_BACKOFF_S = 5.0
STEADY_S = 10.0
"""After living that long a program is taken to be sound: the next death is the first one again."""
ASK_EVERY_S = 0.2
LAST_WORDS_S = 2.0

Liveness = Literal["starting", "up", "down", "stopped"]


def nothing() -> None:
    """Do nothing: the preparation of a program that needs none."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how to know that it serves."""

    name: str
    command: tuple[str, ...]
    port: int | None
    ready: Callable[[], None]
    """Finishes what the program needs before it can be used; raises Unavailable as long as it does not answer.
    Asked after every start, so it must not mind what is there already."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of this process's own."""
    before: Callable[[], None] = nothing
    """Done before every start; raises Unavailable."""
    as_user: tuple[str, ...] = ()
    """What to put before the command, and before anything else, to run it as another user."""
    stop_signal: signal.Signals = signal.SIGTERM
    sources: tuple[str, ...] = ()
    """The modules of this project that it runs, without those that they import."""


class Kept:
    """A program kept running, from `start` to `stop`."""

    def __init__(self, program: Program, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self.program = program
        self.state: Liveness = "starting"
        self.identity: ProcessIdentity | None = None
        self.began_at = 0.0
        """Unix time of the last start."""
        self.starts = 0
        self.doubt = ""
        """Why the program was last thought not to serve."""
        self._say = say
        self._changed = changed
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._anew = False
        """Whether it was killed to be started anew, which is no failure."""
        self._woken = threading.Event()
        """Set to end the wait before the next start."""
        self._spawning = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name=f"keep {program.name}", daemon=True)

    def start(self) -> None:
        """Begin to keep the program running; returns at once."""
        self._thread.start()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send the program and all it started a signal; if it dies of it, it is started again."""
        if self._process is not None:
            _signal_group(self._process.pid, number)

    def start_anew(self) -> None:
        """Kill the program and start it at once: what it runs has changed. One that failed before is tried again."""
        self._anew = True
        self._woken.set()
        self.kill()

    def ask_to_stop(self) -> None:
        """Tell the program to end, for good; returns at once."""
        with self._spawning:
            self._stopping.set()
        self._woken.set()
        if self._process is not None and self._process.poll() is None:
            # To the program alone: gunicorn and postgres end their children in good order themselves.
            with suppress(ProcessLookupError):
                self._process.send_signal(self.program.stop_signal)

    def wait_stopped(self, timeout_s: float) -> None:
        """Wait for the end of a program that was asked to stop; kill what has not ended by then."""
        if self._thread.ident is None:
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self.kill()
            self._thread.join()

    def _keep(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        while not self._stopping.is_set():
            began = time.monotonic()
            ended = self._live()
            if self._stopping.is_set():
                break
            if self._anew or time.monotonic() - began >= STEADY_S:
                backoff_s = FIRST_BACKOFF_S
            self._become("down")
            if self._anew:
                self._say("its sources have changed; starting it anew")
            else:
                self._say(f"{ended}; starting it again in {backoff_s:g} s")
                self._woken.wait(backoff_s)
                backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)
            self._anew = False
            self._woken.clear()
        self._become("stopped")

    def _live(self) -> str:
        """Start the program and return, once it has ended, how."""
        try:
            self.program.before()
            process = self._spawn()
        except (OSError, Unavailable) as exc:
            self.starts += 1
            return f"could not be started: {exc}"
        if process is None:
            return "was stopped"
        following = threading.Thread(target=self._follow, args=(process,), daemon=True)
        asking = threading.Thread(target=self._ask, args=(process,), daemon=True)
        following.start()
        asking.start()
        status = process.wait()
        _signal_group(process.pid, signal.SIGKILL)
        # What left the group, as a database's children do, may hold the output open for a while.
        following.join(LAST_WORDS_S)
        asking.join()
        return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._spawning:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(  # noqa: S603 - the commands are this project's own
                # Becoming another user forgets that one is to die with one's parent, so that comes second.
                (*self.program.as_user, *dying_with_its_parent(self.program.stop_signal), *self.program.command),
                env=environment() | dict(self.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.identity, self.began_at = ProcessIdentity.of(self._process.pid), time.time()
        self.starts += 1
        self._become("starting")
        return self._process

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                self._say(line.decode(errors="replace").rstrip())

    def _ask(self, process: subprocess.Popen[bytes]) -> None:
        """Ask a program whether it is ready until it is, or has ended."""
        while process.poll() is None and not self._stopping.is_set():
            try:
                self.program.ready()
            except Unavailable as exc:
                self.doubt = str(exc)
                self._stopping.wait(ASK_EVERY_S)
            else:
                self._become("up")
                return

    def _become(self, state: Liveness) -> None:
        self.state = state
        self._changed()


def stop_all(kept: Iterable[Kept], grace_s: float) -> None:
    """Stop programs, together; those that have not ended after the grace are killed, with all they started."""
    asked = list(kept)
    for one in asked:
        one.ask_to_stop()
    deadline = time.monotonic() + grace_s
    for one in asked:
        one.wait_stopped(max(0.0, deadline - time.monotonic()))


@cache
def dying_with_its_parent(number: signal.Signals) -> tuple[str, ...]:
    """Return what to put before a command so that a kill -9 of this process ends it too; nothing but on Linux."""
    setpriv = shutil.which("setpriv")
    prefix = (setpriv or "", "--pdeathsig", number.name.removeprefix("SIG"))
    # Not every setpriv knows the option: busybox's does not.
    works = setpriv and subprocess.run((*prefix, "true"), capture_output=True, check=False).returncode == 0  # noqa: S603
    return prefix if works else ()


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
