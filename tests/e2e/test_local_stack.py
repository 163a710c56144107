"""`fitsense up`, `status` and `down`, as a person types them: what serves, and that nothing is ever left behind."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pg8000.dbapi
import psutil
import pytest

from deploy.local import state
from deploy.local.stack import LocalStack, local_stack
from deploy.topology import topology
from shared.errors import NotFound, Unavailable
from tests.e2e.command import CONFIG, FITSENSE, ROOT, fitsense, run_json
from tests.emulators import jars

pytestmark = pytest.mark.slow

PATIENCE_S = 90

SERVING = (
    "services:profile",
    "services:plan",
    "services:logging",
    "services:inference-router",
    "gateway",
)


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """A directory whose stack is stopped at the end, whatever became of the test; by then nothing may be left."""
    yield tmp_path / "out"
    fitsense("down", "--out", tmp_path / "out")
    left = processes_of(tmp_path / "out")
    for process in left:
        process.kill()
    assert left == []


def processes_of(out: Path) -> list[psutil.Process]:
    """Return the processes of a directory's stack: those with its marker, and those that name its folder."""
    folder = str(state.folder(out))
    found = []
    for process in psutil.process_iter():
        try:
            named = any(argument.startswith(folder) for argument in process.cmdline())
            if named or process.environ().get(state.MARKER) == folder:
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def eventually(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def overview(out: Path) -> dict[str, Any]:
    return run_json("status", "--out", out)


def up_detached(out: Path, *options: str) -> None:
    done = fitsense("up", "--detach", "--out", out, *options)
    assert done.returncode == 0, done.stderr


def keeper(out: Path) -> int:
    found = state.read(out)
    assert found is not None
    return found.keeper.pid


def start(out: Path) -> "subprocess.Popen[str]":
    """Start `fitsense up` in the foreground and return once it serves."""
    process = subprocess.Popen([FITSENSE, "up", "--out", str(out)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("everything serves"):
            return process
    raise AssertionError(f"it ended with {process.wait()}")


def test_up_says_where_everything_is_and_down_stops_it(out: Path) -> None:
    began = fitsense("up", "--detach", "--out", out)
    assert began.returncode == 0, began.stderr
    exports = dict(
        shlex.split(line)[1].split("=", 1) for line in began.stdout.splitlines() if line.startswith("export ")
    )
    seen = overview(out)
    assert (seen["exit"], seen["stack"], seen["serves"]) == (0, "embedded", True)
    assert seen["environment"] == exports
    assert {(one["name"], one["state"], one["restarts"]) for one in seen["components"]} == {
        (name, "up", 0) for name in ("pipeline", "postgres", "clock", *SERVING)
    }
    assert "pipeline" in fitsense("status", "--out", out).stdout
    stopped = fitsense("down", "--out", out)
    assert (stopped.returncode, stopped.stdout) == (0, f"stopped the embedded stack on {out}\n")
    assert processes_of(out) == []
    assert overview(out)["exit"] == 1


def test_a_file_that_is_saved_starts_what_runs_it_anew_and_nothing_else(out: Path) -> None:
    up_detached(out, "--reload")
    source = ROOT / "deploy" / "local" / "gateway.py"
    saved = source.with_name(".gateway.saved")
    shutil.copy(source, saved)
    before = {one["name"]: one["pid"] for one in overview(out)["components"]}
    saved.replace(source)  # the same bytes, in one step
    eventually(lambda: {one["name"]: one["pid"] for one in overview(out)["components"]}["gateway"] != before["gateway"])
    eventually(lambda: overview(out)["serves"])
    after = {one["name"]: one["pid"] for one in overview(out)["components"]}
    assert {name for name in before if before[name] != after[name]} == {"gateway"}
    assert "its sources have changed" in (out / ".stack" / "log" / "gateway.log").read_text()


def test_the_clock_has_the_monitor_look(out: Path) -> None:
    up_detached(out)
    eventually(lambda: "looked around" in (out / "log.jsonl").read_text())
    seen = run_json("monitor", "--out", out)
    assert (seen["exit"], seen["seen"]) == (0, {})


def test_down_and_status_where_nothing_runs_say_so_and_make_nothing(out: Path) -> None:
    done = fitsense("down", "--out", out)
    assert (done.returncode, done.stdout) == (0, f"no stack runs on {out}\n")
    done = fitsense("status", "--out", out)
    assert (done.returncode, done.stdout) == (1, f"no stack runs on {out}\n")
    assert not out.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupt_stops_everything(out: Path, number: signal.Signals) -> None:
    process = start(out)
    assert len(processes_of(out)) > 3
    process.send_signal(number)
    assert process.wait(PATIENCE_S) == 130
    assert processes_of(out) == []
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_an_interrupt_while_it_starts_stops_everything(out: Path) -> None:
    process = subprocess.Popen([FITSENSE, "up", "--out", str(out)], stderr=subprocess.PIPE, text=True)
    eventually(lambda: processes_of(out))
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert processes_of(out) == []


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of an embedded stack that runs all the while."""
    directory = tmp_path_factory.mktemp("kept") / "out"
    up_detached(directory, "--workers", "2")
    yield directory
    fitsense("down", "--out", directory)
    assert processes_of(directory) == []


@pytest.mark.parametrize("options", [(), ("--detach",)], ids=["foreground", "detached"])
def test_a_second_up_is_refused_and_the_first_goes_on(kept: Path, options: tuple[str, ...]) -> None:
    second = fitsense("up", "--out", kept, *options)
    assert second.returncode == 1
    assert second.stderr.splitlines()[-1] == (
        f"error: a stack is already kept in {kept} by process {keeper(kept)}; "
        "see `fitsense status`, stop it by `fitsense down`"
    )
    assert overview(kept)["serves"]


def test_what_dies_is_started_again(kept: Path) -> None:
    pipeline = next(one for one in overview(kept)["components"] if one["name"] == "pipeline")
    os.kill(pipeline["pid"], signal.SIGKILL)
    eventually(lambda: [one["restarts"] for one in overview(kept)["components"] if one["name"] == "pipeline"] == [1])
    eventually(lambda: overview(kept)["serves"])


def test_a_config_in_the_drop_folder_becomes_a_run_and_a_broken_one_is_told_why(kept: Path) -> None:
    inbox = kept / "inbox"
    (inbox / "good.yaml").write_text(CONFIG)
    (inbox / "bad.yaml").write_text(CONFIG.replace("users: 24", "users: many"))
    eventually(lambda: runs(kept) == {"e2e": "approved"})
    eventually(lambda: (inbox / "bad.yaml.error.json").exists())
    error = json.loads((inbox / "bad.yaml.error.json").read_text())["error"]
    assert error["faults"] == ["users: input should be a valid integer (got 'many')"]
    assert (inbox / "bad.yaml").exists()
    assert [path.name.partition(".")[2] for path in (inbox / "accepted").iterdir()] == ["good.yaml"]
    (inbox / "bad.yaml").write_text(CONFIG.replace("name: e2e", "name: mended"))
    eventually(lambda: runs(kept) == {"e2e": "approved", "mended": "approved"})
    assert not (inbox / "bad.yaml.error.json").exists()


def runs(out: Path) -> dict[str, str]:
    """Return the status of each run, by its name."""
    found = json.loads(fitsense("runs", "--out", out, "--json").stdout or "[]")
    return {run["name"]: run["status"] for run in found}


def test_after_a_kill_of_up_the_next_one_clears_what_is_left_and_finds_the_databases_rows(out: Path) -> None:
    up_detached(out)
    assert rows_of_a_table(out) == []
    os.kill(keeper(out), signal.SIGKILL)
    assert overview(out)["exit"] == 1
    up_detached(out)
    assert [one.name() for one in processes_of(out) if "-D" in one.cmdline()] == ["postgres"]
    assert overview(out)["serves"]
    assert rows_of_a_table(out) == [[1]]


def rows_of_a_table(out: Path) -> list[list[int]]:
    """Return what is in a table of the stack's database, and put a row into it."""
    where = overview(out)["environment"]
    options = {"user": where["PGUSER"], "database": where["PGDATABASE"]}
    with closing(pg8000.dbapi.connect(host=where["PGHOST"], port=int(where["PGPORT"]), **options)) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE IF NOT EXISTS kept (number integer)")
        cursor.execute("SELECT number FROM kept")
        found = list(map(list, cursor.fetchall()))
        cursor.execute("INSERT INTO kept VALUES (1)")
        connection.commit()
    return found


def test_a_kill_of_up_ends_what_it_kept_and_down_clears_the_rest(out: Path) -> None:
    up_detached(out)
    marked = os.environ | {state.MARKER: str(state.folder(out))}
    with subprocess.Popen(["sleep", "600"], env=marked) as stray:
        os.kill(keeper(out), signal.SIGKILL)
        if shutil.which("setpriv"):
            eventually(lambda: [one.pid for one in processes_of(out)] == [stray.pid])
        done = fitsense("down", "--out", out)
        assert stray.wait(10) == -9
    assert done.returncode == 0
    assert "had left behind" in done.stdout
    assert fitsense("down", "--out", out).stdout == f"no stack runs on {out}\n"


@pytest.mark.parametrize("how", ["kill -9", "down"])
def test_a_run_that_was_under_way_goes_on_with_the_next_up(out: Path, how: str) -> None:
    up_detached(out)
    (out / "inbox" / "long.yaml").write_text(CONFIG.replace("users: 24", "users: 400"))
    eventually(lambda: list(out.glob("runs/*/profiles/*")))
    if how == "down":
        fitsense("down", "--out", out)
        assert runs(out) == {"e2e": "interrupted"}
    else:
        os.kill(keeper(out), signal.SIGKILL)
    up_detached(out)
    eventually(lambda: runs(out) == {"e2e": "approved"})
    assert len(list(out.glob("runs/*/run.json"))) == 1


def test_without_java_the_emulators_are_refused_in_one_line(out: Path) -> None:
    done = fitsense("up", "--stack", "emulators", "--out", out, env={"PATH": "/no/such/folder"})
    assert done.returncode == 1
    assert done.stderr.startswith("error: the emulators need a Java runtime, 11 or newer")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack with two of the functions."""
    jars()
    directory = tmp_path_factory.mktemp("emulators")
    with local_stack(directory, functions=("gate", "dead-letters")) as stack:
        yield stack
    assert processes_of(directory) == []


def one(stack: LocalStack, name: str) -> state.ComponentState:
    return next(process for process in stack.processes if process.name == name)


def test_a_killed_function_is_started_again_on_its_port(emulators: LocalStack) -> None:
    before = one(emulators, "functions:gate")
    emulators.kill("functions:gate")
    eventually(lambda: one(emulators, "functions:gate").starts == before.starts + 1)
    eventually(lambda: one(emulators, "functions:gate").state == "up")
    after = one(emulators, "functions:gate")
    assert (after.port, after.restarts) == (before.port, 1)
    assert after.process != before.process


def test_what_an_emulator_forgets_is_provisioned_when_it_is_restarted(emulators: LocalStack) -> None:
    assert subscriptions(emulators) == SUBSCRIPTIONS
    emulators.restart("pubsub")
    assert subscriptions(emulators) == SUBSCRIPTIONS


SUBSCRIPTIONS = {"reports-completed--gate": 120, "dead-letters--dead-letters": 60, "model-promoted--vllm-vm": 60}
"""With their ack deadlines."""


def subscriptions(stack: LocalStack) -> dict[str, int]:
    import grpc
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

    project = f"projects/{stack.environment['FITSENSE_PROJECT']}"
    with grpc.insecure_channel(stack.environment["PUBSUB_EMULATOR_HOST"]) as channel:
        topics = PublisherClient(transport=PublisherGrpcTransport(channel=channel)).list_topics(project=project)
        assert {topic.name.rpartition("/")[2] for topic in topics} == {*topology().topics, "dead-letters"}
        found = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)).list_subscriptions(project=project)
        return {one.name.rpartition("/")[2]: one.ack_deadline_seconds for one in found}


def test_a_process_that_is_not_there_cannot_be_restarted(emulators: LocalStack) -> None:
    with pytest.raises(NotFound, match="there is no 'teacher' in this stack, only pubsub, firestore, storage, jobs"):
        emulators.restart("teacher")


def test_what_does_not_come_up_is_named_with_its_last_lines(tmp_path: Path) -> None:
    jars()
    (state.folder(tmp_path) / "storage").mkdir(parents=True)
    shutil.rmtree(state.folder(tmp_path) / "storage")
    (state.folder(tmp_path) / "storage").write_text("a file where the server wants a folder")
    with (
        pytest.raises(Unavailable, match=r"storage does not stay up.*its last lines:") as caught,
        local_stack(tmp_path, functions=()),
    ):
        pass
    assert "starting it again" in str(caught.value)
    assert processes_of(tmp_path) == []


def test_the_whole_stack_serves_and_goes(out: Path) -> None:
    jars()
    up_detached(out, "--stack", "emulators")
    seen = overview(out)
    functions = {f"functions:{name}" for name in topology().deployed()}
    assert {one["name"] for one in seen["components"]} == {
        "pubsub",
        "firestore",
        "storage",
        "jobs",
        "postgres",
        "clock",
        *functions,
        *SERVING,
    }
    assert seen["serves"]
    assert fitsense("down", "--out", out).stdout == f"stopped the emulators stack on {out}\n"
    assert processes_of(out) == []
