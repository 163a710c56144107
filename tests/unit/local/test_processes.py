"""Keeping programs running, with real ones: started again when they die, nothing left when they are stopped."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local import processes
from deploy.local.processes import Kept, Program, stop_all
from shared.errors import Unavailable

PATIENCE_S = 20


class Keeper:
    """Keeps shell scripts running, and notes what they say."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.kept: list[Kept] = []

    def keep(self, script: str, **options: object) -> Kept:
        program = Program(
            **{"name": "it", "command": ("sh", "-c", script), "port": None, "ready": processes.nothing} | options  # type: ignore[arg-type]
        )
        kept = Kept(program, self.lines.append, processes.nothing)
        self.kept.append(kept)
        kept.start()
        return kept


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    stop_all(keeper.kept, grace_s=0)


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_a_program_says_is_passed_on_line_by_line_on_both_streams(keeper: Keeper) -> None:
    keeper.keep(r"echo out; echo err >&2; printf 'b\377d'; exec sleep 60")
    eventually(lambda: keeper.lines[:2] == ["out", "err"])
    keeper.kept[0].kill()
    eventually(lambda: keeper.lines[2:3] == ["b\N{REPLACEMENT CHARACTER}d"])


def test_a_program_that_dies_is_started_again_later_and_later(keeper: Keeper) -> None:
    kept = keeper.keep("exit 3")
    eventually(lambda: kept.starts >= 3)
    assert keeper.lines[:2] == [
        "ended with exit status 3; starting it again in 0.2 s",
        "ended with exit status 3; starting it again in 0.4 s",
    ]


def test_a_program_that_is_killed_is_up_again_as_another_process(keeper: Keeper) -> None:
    kept = keeper.keep("exec sleep 60")
    eventually(lambda: kept.state == "up")
    first = kept.identity
    kept.kill()
    eventually(lambda: kept.state == "up" and kept.identity != first)
    assert kept.starts == 2
    assert keeper.lines == ["was killed by SIGKILL; starting it again in 0.2 s"]


def test_a_program_is_up_once_it_is_ready_and_asked_again_after_every_start(keeper: Keeper) -> None:
    asked: list[int] = []

    def ready() -> None:
        asked.append(1)
        if len(asked) < 3:
            raise Unavailable("not yet")

    kept = keeper.keep("exec sleep 60", ready=ready)
    eventually(lambda: kept.state == "up")
    assert (len(asked), kept.doubt) == (3, "not yet")
    kept.kill()
    eventually(lambda: kept.state == "up" and len(asked) == 4)


def test_what_cannot_be_prepared_or_started_is_said_and_tried_again(keeper: Keeper) -> None:
    def before() -> None:
        raise Unavailable("no disk")

    keeper.keep("", before=before)
    keeper.keep("", command=("/no/such/program",), as_user=("/no/such/wrapper",))
    eventually(lambda: len(keeper.lines) >= 2)
    text = "\n".join(keeper.lines)
    assert "could not be started: no disk; starting it again" in text
    assert "could not be started: [Errno 2] No such file or directory: '/no/such/wrapper'" in text


def test_children_die_with_a_program_that_is_killed(keeper: Keeper) -> None:
    kept = keeper.keep("sleep 60 & echo $!; wait")
    eventually(lambda: bool(keeper.lines))
    child = int(keeper.lines[0])
    kept.kill()
    eventually(lambda: gone(child))


def test_children_that_outlive_their_program_are_ended_before_it_is_started_again(keeper: Keeper) -> None:
    keeper.keep("sleep 60 & echo $!")
    eventually(lambda: bool(keeper.lines))
    eventually(lambda: gone(int(keeper.lines[0])))


def test_stopping_asks_politely_by_the_signal_that_the_program_wants(keeper: Keeper) -> None:
    kept = keeper.keep(
        "trap 'echo bye; exit 0' INT; echo there; while :; do sleep 0.05; done", stop_signal=signal.SIGINT
    )
    eventually(lambda: keeper.lines == ["there"])
    stop_all([kept], grace_s=PATIENCE_S)
    eventually(lambda: keeper.lines == ["there", "bye"])
    assert kept.state == "stopped"


def test_what_does_not_stop_is_killed_after_the_grace_with_its_children(keeper: Keeper) -> None:
    kept = keeper.keep("trap '' TERM; sleep 60 & echo $!; while :; do sleep 0.05; done")
    eventually(lambda: bool(keeper.lines))
    assert kept.identity is not None
    stop_all([kept], grace_s=0.3)
    assert gone(kept.identity.pid)
    eventually(lambda: gone(int(keeper.lines[0])))
    assert kept.state == "stopped"


def test_stopping_does_not_wait_for_the_next_start(keeper: Keeper) -> None:
    kept = keeper.keep("exit 1")
    eventually(lambda: kept.starts >= 4)
    began = time.monotonic()
    stop_all([kept], grace_s=PATIENCE_S)
    assert time.monotonic() - began < 1
    starts = kept.starts
    time.sleep(0.3)
    assert kept.starts == starts


def test_stopping_what_never_began_is_no_error() -> None:
    program = Program(name="it", command=("true",), port=None, ready=processes.nothing)
    stop_all([Kept(program, print, processes.nothing)], grace_s=1)


KEEPER = """
import sys, threading
from deploy.local.processes import Kept, Program, nothing
kept = Kept(Program(name="it", command=("sleep", "60"), port=None, ready=nothing), print, nothing)
kept.start()
while kept.state != "up":
    pass
print(kept.identity.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.skipif(not shutil.which("setpriv"), reason="programs die with a killed keeper only where setpriv is")
def test_a_program_dies_with_a_keeper_that_is_killed() -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", KEEPER], stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert not gone(child)
        process.kill()
    eventually(lambda: gone(child))


def test_many_are_stopped_together_and_not_one_after_the_other(keeper: Keeper) -> None:
    for _ in range(5):
        keeper.keep("trap 'sleep 0.5; exit 0' TERM; echo there; while :; do sleep 0.05; done")
    eventually(lambda: len(keeper.lines) == 5)
    began = time.monotonic()
    stop_all(keeper.kept, grace_s=PATIENCE_S)
    assert time.monotonic() - began < 2.4
