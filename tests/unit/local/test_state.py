"""What is written down of a stack: who holds it, what it left behind, and which process is meant."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local import state
from deploy.local.identity import ProcessIdentity
from deploy.local.overview import look
from deploy.local.stack import running
from deploy.local.state import MARKER, ComponentState, StackState
from shared.errors import Conflict, Unavailable

ROOT = Path(__file__).parents[3]
NOBODY = ProcessIdentity(pid=2**22 - 1, created_at=1.0)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the stack in tmp_path."""
    with subprocess.Popen(["sleep", "60"], env=os.environ | {MARKER: str(state.folder(tmp_path))}) as process:
        yield process
        process.kill()


def noted(out: Path, keeper: ProcessIdentity, process: ProcessIdentity | None, ready: bool = True) -> StackState:
    component = ComponentState(name="gate", state="up", port=8080, process=process, starts=3, began_at=100.0)
    found = StackState(
        stack="emulators", out=out, ready=ready, keeper=keeper, environment={"A": "b"}, components=(component,)
    )
    state.folder(out).mkdir(exist_ok=True)
    state.write(found)
    return found


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert state.read(tmp_path) is None
    written = noted(tmp_path, ProcessIdentity.here(), NOBODY)
    assert state.read(tmp_path) == written
    state.forget(tmp_path)
    assert state.read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stack": "gcp"}'])
def test_a_state_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    state.folder(tmp_path).mkdir()
    (state.folder(tmp_path) / "state.json").write_text(text)
    assert state.read(tmp_path) is None


def test_a_stack_runs_while_its_keeper_lives_and_once_it_is_ready(tmp_path: Path) -> None:
    noted(tmp_path, ProcessIdentity.here(), None, ready=False)
    assert running(tmp_path) is None
    noted(tmp_path, NOBODY, None)
    assert running(tmp_path) is None
    noted(tmp_path, ProcessIdentity.here(), None)
    found = running(tmp_path)
    assert found is not None
    assert found.environment == {"A": "b"}


def test_an_id_that_is_used_again_is_another_process() -> None:
    here = ProcessIdentity.here()
    assert here.process() == psutil.Process()
    assert ProcessIdentity(pid=here.pid, created_at=here.created_at - 60).process() is None
    assert NOBODY.process() is None


HOLD = """
import sys
from pathlib import Path
from deploy.local import state
with state.locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_directory_is_held_by_one_process_until_it_ends_however_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(Conflict, match="a stack is already kept in"), state.locked(tmp_path):
            pass
        other.kill()
    with state.locked(tmp_path):
        assert state.folder(tmp_path).is_dir()


def test_a_directory_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot write to"), state.locked(tmp_path / "file"):
        pass


def test_what_was_left_behind_is_killed_noted_or_not(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    with subprocess.Popen(["sleep", "60"]) as noted_only, subprocess.Popen(["sleep", "60"]) as stranger:
        noted(tmp_path, NOBODY, ProcessIdentity.of(noted_only.pid))
        assert state.clear(tmp_path) == 2
        assert (sleeper.wait(5), noted_only.wait(5)) == (-9, -9)
        still_there = stranger.poll() is None
        stranger.kill()
    assert still_there
    assert state.read(tmp_path) is None
    assert state.clear(tmp_path) == 0


def test_a_process_that_has_the_id_of_one_left_behind_is_spared(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        noted(tmp_path, NOBODY, ProcessIdentity(pid=stranger.pid, created_at=1.0))
        killed, still_there = state.clear(tmp_path), stranger.poll() is None
        stranger.kill()
    assert (killed, still_there) == (0, True)


def test_another_directorys_processes_are_spared(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    assert state.clear(tmp_path / "other") == 0
    assert sleeper.poll() is None


def test_the_overview_tells_up_from_down_and_from_left_behind(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    process, here = ProcessIdentity.of(sleeper.pid), ProcessIdentity.here()
    for keeper, component, shown, serves in (
        (here, process, "up", True),
        (here, NOBODY, "down", False),
        (NOBODY, process, "left behind", False),
        (NOBODY, NOBODY, "down", False),
    ):
        seen = look(noted(tmp_path, keeper, component), now=160.0)
        assert (seen.components[0].state, seen.serves) == (shown, serves)
    up = look(noted(tmp_path, here, process), now=160.0).components[0]
    assert (up.port, up.pid, up.restarts, up.uptime_s) == (8080, sleeper.pid, 2, 60.0)
    assert look(None, now=0.0).serves is False


def test_a_process_is_asked_to_end_and_killed_when_it_does_not() -> None:
    script = "trap '' TERM; echo there; while :; do sleep 0.05; done"
    with (
        subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as deaf,
        subprocess.Popen(["sleep", "9"]) as good,
    ):
        assert deaf.stdout is not None
        deaf.stdout.readline()
        for process in (deaf, good):
            identity = ProcessIdentity.of(process.pid)
            assert identity is not None
            identity.end(patience_s=0.3)
        assert (deaf.wait(5), good.wait(5)) == (-9, -15)
