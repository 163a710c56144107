"""The port of job launchers: every adapter passes this suite, Google's against a server that really runs the jobs."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from google.cloud import batch_v1

from deploy.jobs_server.processes import JobFolder
from deploy.jobs_server.server import JobsServer, serving
from shared import spool
from shared.bus import Message, event_in
from shared.documents import SqliteDocuments
from shared.errors import Rejected, Unavailable
from shared.events import JobEnded, Target, TrainRequested
from shared.gcp.launchers import google_launchers
from shared.jobs import JobLauncher, JobSpec, JobState, outcome_of, spec_of
from shared.lease import DocumentLeases
from shared.process_jobs import ProcessLauncher, trainer_command
from shared.settings import Settings
from shared.spool import Spool
from tests.racing import in_processes, in_threads

RUN_ID = "20260217T080910Z-0a1b2c3d"
STAND_IN = (sys.executable, str(Path(__file__).parents[1] / "stand_in_job.py"))
PATIENCE_S = 60.0


class Launching:
    """A launcher under test, its jobs' marks, and the ends that were published."""

    def __init__(
        self, target: Target, folder: Path, make: Callable[[], JobLauncher], published: Callable[[], list[Message]]
    ) -> None:
        self.target = target
        self.folder = folder
        self.make = make
        self._published = published
        self.launcher = make()

    def spec(self, behaviour: str) -> JobSpec:
        event = TrainRequested(run_id=RUN_ID, recipe="tiny_cpu", overrides=(f"do={behaviour}",))
        return spec_of(event, {self.target: self.launcher})

    def pids(self, spec: JobSpec) -> list[int]:
        marks = self.folder / "marks" / spec.name
        return [int(line) for line in marks.read_text().split()] if marks.exists() else []

    def wait_for_start(self, spec: JobSpec, starts: int = 1) -> int:
        wait_until(lambda: len(self.pids(spec)) >= starts)
        return self.pids(spec)[-1]

    def wait_for_end(self, spec: JobSpec) -> JobState:
        wait_until(lambda: (found := self.launcher.state(spec.name)) is not None and found.status == "ended")
        found = self.launcher.state(spec.name)
        assert found
        return found

    def told(self) -> list[str]:
        events = [event_in(one) for one in self._published()]
        assert all(isinstance(event, JobEnded) for event in events)
        return [event.job for event in events if isinstance(event, JobEnded)]


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(params=["subprocess", "cloud_run", "batch"])
def launching(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launching]:
    (tmp_path / "marks").mkdir()
    monkeypatch.setenv("STAND_IN_FOLDER", str(tmp_path / "marks"))
    monkeypatch.setenv("FITSENSE_TRAINER_COMMAND", json.dumps(STAND_IN))
    target: Target = request.param
    with ExitStack() as stack:
        yield stack.enter_context(process_jobs(tmp_path) if target == "subprocess" else google_jobs(tmp_path, target))


class process_jobs:
    """Jobs as processes of this machine."""

    def __init__(self, folder: Path) -> None:
        self._out = folder / "out"
        self._folder = folder

    def __enter__(self) -> Launching:
        settings = Settings(out=self._out)
        return Launching("subprocess", self._folder, lambda: ProcessLauncher(settings), self._published)

    def __exit__(self, *_: object) -> None:
        end_all(self._folder)

    def _published(self) -> list[Message]:
        new = self._out / "bus" / "new"
        return [spool.read(new / name).message for name in spool.names(new)]


class google_jobs:
    """Jobs of Google's services, which are a server on this machine."""

    def __init__(self, folder: Path, target: Target) -> None:
        self._folder = folder
        self._target = target
        self._messages: list[Message] = []
        self._serving = ExitStack()

    def __enter__(self) -> Launching:
        settings = Settings(stack="emulators", out=self._folder / "out")
        jobs = JobsServer(self._folder / "server", settings, self._messages.append)
        host = f"127.0.0.1:{self._serving.enter_context(serving(jobs))}"
        leases = DocumentLeases(SqliteDocuments(self._folder / "documents.sqlite"), 10, 30)
        asking = settings.model_copy(update={"jobs_host": host})
        return Launching(
            self._target, self._folder, lambda: google_launchers(asking, leases)[self._target], lambda: self._messages
        )

    def __exit__(self, *_: object) -> None:
        self._serving.close()
        end_all(self._folder)


def end_all(folder: Path) -> None:
    for marks in (folder / "marks").iterdir():
        for pid in marks.read_text().split():
            try:
                if b"stand_in_job" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(int(pid), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass


def test_a_job_runs_with_its_arguments_and_its_end_is_told(launching: Launching) -> None:
    spec = launching.spec("succeed")
    assert launching.launcher.state(spec.name) is None
    assert launching.launcher.start(spec)
    assert launching.wait_for_end(spec) == JobState(status="ended", outcome="succeeded")
    wait_until(lambda: launching.told() == [spec.name])
    logs = [path.read_text() for path in launching.folder.rglob("log") if path.is_file()]
    assert any(f"trainer: job {RUN_ID} --recipe tiny_cpu --set do=succeed" in log for log in logs)


@pytest.mark.parametrize(("behaviour", "outcome", "why"), [("fail", "failed", "3"), ("interrupted", "preempted", "75")])
def test_a_job_that_ends_badly_says_how(launching: Launching, behaviour: str, outcome: str, why: str) -> None:
    spec = launching.spec(behaviour)
    launching.launcher.start(spec)
    found = launching.wait_for_end(spec)
    assert found.outcome == outcome
    assert why in found.reason or "interrupted" in found.reason
    wait_until(lambda: launching.told() == [spec.name])


def test_a_job_killed_with_9_is_told_of_and_may_be_started_again(launching: Launching) -> None:
    spec = launching.spec("twice")
    assert launching.launcher.start(spec)
    os.kill(launching.wait_for_start(spec), signal.SIGKILL)
    found = launching.wait_for_end(spec)
    assert (found.outcome, "killed by signal 9" in found.reason) == ("preempted", True)
    wait_until(lambda: launching.told() == [spec.name])
    assert launching.launcher.start(spec)
    assert launching.wait_for_end(spec) == JobState(status="ended", outcome="succeeded", attempts=2)
    wait_until(lambda: launching.told() == [spec.name] * 2)


def test_a_job_that_runs_or_has_succeeded_is_not_started_again(launching: Launching) -> None:
    running, done = launching.spec("hang"), launching.spec("succeed")
    assert launching.launcher.start(running)
    assert not launching.launcher.start(running)
    assert launching.launcher.state(running.name) == JobState(status="running")
    assert launching.launcher.start(done)
    launching.wait_for_end(done)
    assert not launching.launcher.start(done)
    launching.wait_for_start(running)
    assert (len(launching.pids(running)), len(launching.pids(done))) == (1, 1)


def test_of_many_threads_that_start_a_job_one_does(launching: Launching) -> None:
    spec = launching.spec("hang")
    started = in_threads(6, lambda _: launching.make().start(spec))
    assert started.count(True) == 1
    launching.wait_for_start(spec)
    assert len(launching.pids(spec)) == 1


def test_of_many_processes_that_start_a_job_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "marks").mkdir()
    monkeypatch.setenv("STAND_IN_FOLDER", str(tmp_path / "marks"))
    settings = Settings(out=tmp_path / "out", trainer_command=STAND_IN)
    with process_jobs(tmp_path) as launching:
        spec = launching.spec("hang")
        started = in_processes(4, start_alone, settings, spec, str(tmp_path / "marks"))
        assert started.count(True) == 1
        launching.wait_for_start(spec)
        assert len(launching.pids(spec)) == 1


def start_alone(number: int, start: Barrier, settings: Settings, spec: JobSpec, marks: str) -> bool:
    del number
    os.environ["STAND_IN_FOLDER"] = marks
    launcher = ProcessLauncher(settings)
    start.wait()
    return launcher.start(spec)


@pytest.mark.parametrize("launching", ["subprocess"], indirect=True)
def test_an_end_that_nobody_saw_is_told_by_whoever_looks_and_told_once(launching: Launching, tmp_path: Path) -> None:
    spec = launching.spec("hang")
    launching.launcher.start(spec)
    job = launching.wait_for_start(spec)
    keeper = int(Path(f"/proc/{job}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, signal.SIGKILL)
    assert launching.launcher.state(spec.name) == JobState(status="running")
    assert not launching.launcher.start(spec)
    os.kill(job, signal.SIGKILL)
    launcher, bus = ProcessLauncher(Settings(out=tmp_path / "out")), Spool(tmp_path / "out" / "bus")
    wait_until(lambda: launcher.tell_of_unseen_ends(bus) == [spec.name])
    assert launcher.tell_of_unseen_ends(bus) == []
    assert launching.told() == [spec.name]
    found = launching.wait_for_end(spec)
    assert (found.outcome, "nobody saw" in found.reason) == ("preempted", True)


@pytest.mark.parametrize("launching", ["batch"], indirect=True)
def test_a_preempted_spot_job_goes_on_by_batchs_own_policy(launching: Launching) -> None:
    spec = launching.spec("twice")
    launching.launcher.start(spec)
    launching.wait_for_start(spec)
    folder = JobFolder(launching.folder / "server" / "batches" / spec.name)
    wait_until(lambda: (found := folder.attempt()) is not None and found.pid is not None)
    folder.preempt()
    launching.wait_for_start(spec, starts=2)
    assert launching.wait_for_end(spec) == JobState(status="ended", outcome="succeeded")
    wait_until(lambda: launching.told() == [spec.name])


@pytest.mark.parametrize("inside", [True, False], ids=["told of a network", "told of none"])
def test_batchs_machines_are_in_the_network_that_settings_name_and_have_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.setenv("STAND_IN_FOLDER", str(tmp_path))
    monkeypatch.setenv("FITSENSE_TRAINER_COMMAND", json.dumps(STAND_IN))
    network = ("projects/p/global/networks/n", "projects/p/regions/europe-west4/subnetworks/s") if inside else ("", "")
    settings = Settings(stack="emulators", out=tmp_path, batch_network=network[0], batch_subnetwork=network[1])
    leases = DocumentLeases(SqliteDocuments(tmp_path / "documents.sqlite"), 10, 30)
    with serving(JobsServer(tmp_path / "server", settings, lambda _: None)) as port:
        asking = settings.model_copy(update={"jobs_host": f"127.0.0.1:{port}"})
        launcher = google_launchers(asking, leases)["batch"]
        spec = spec_of(TrainRequested(run_id=RUN_ID, recipe="tiny_cpu", overrides=("do=succeed",)), {"batch": launcher})
        launcher.start(spec)
        asked = batch_v1.Job.deserialize(JobFolder(tmp_path / "server" / "batches" / spec.name).asked() or b"")
        wait_until(lambda: (found := launcher.state(spec.name)) is not None and found.status == "ended")
    allocated = asked.allocation_policy
    assert list(allocated.location.allowed_locations) == ["regions/europe-west4"]
    found = [(one.network, one.subnetwork, one.no_external_ip_address) for one in allocated.network.network_interfaces]
    assert found == ([(*network, True)] if inside else [])


@pytest.mark.parametrize("launching", ["cloud_run", "batch"], indirect=True)
def test_jobs_outlive_the_server_and_are_found_again(launching: Launching, tmp_path: Path) -> None:
    spec = launching.spec("hang")
    launching.launcher.start(spec)
    job = launching.wait_for_start(spec)
    messages: list[Message] = []
    settings = Settings(stack="emulators", out=tmp_path / "out")
    with serving(JobsServer(tmp_path / "server", settings, messages.append)) as port:
        leases = DocumentLeases(SqliteDocuments(tmp_path / "documents.sqlite"), 10, 30)
        asking = settings.model_copy(update={"jobs_host": f"127.0.0.1:{port}"})
        again = google_launchers(asking, leases)[launching.target]
        assert again.state(spec.name) == JobState(status="running")
        os.kill(job, signal.SIGKILL)
        wait_until(lambda: (found := again.state(spec.name)) is not None and found.status == "ended")


@pytest.mark.parametrize("target", ["cloud_run", "batch"])
def test_a_service_that_is_away_is_unavailable(tmp_path: Path, target: Target) -> None:
    leases = DocumentLeases(SqliteDocuments(tmp_path / "documents.sqlite"), 10, 30)
    launcher = google_launchers(Settings(stack="emulators", out=tmp_path, jobs_host="127.0.0.1:9"), leases)[target]
    spec = spec_of(TrainRequested(run_id=RUN_ID, recipe="tiny_cpu"), {target: launcher})
    with pytest.raises(Unavailable):
        launcher.start(spec)


def test_a_command_that_is_not_there_is_unavailable_and_said_in_the_log(tmp_path: Path) -> None:
    launcher = ProcessLauncher(Settings(out=tmp_path, trainer_command=("/nowhere/python",)))
    spec = spec_of(TrainRequested(run_id=RUN_ID, recipe="tiny_cpu"), {"subprocess": launcher})
    with pytest.raises(Unavailable, match="could not start"):
        launcher.start(spec)
    assert "/nowhere/python" in launcher.log(spec.name).read_text()
    found = launcher.state(spec.name)
    assert found
    assert found.status == "ended"


def test_a_place_that_a_stack_does_not_have_is_refused(tmp_path: Path) -> None:
    launchers = {"subprocess": ProcessLauncher(Settings(out=tmp_path))}
    with pytest.raises(Rejected, match="cannot run a job on batch, only on subprocess"):
        spec_of(TrainRequested(run_id=RUN_ID, recipe="tiny_cpu", target="batch"), launchers)  # type: ignore[arg-type]


def test_jobs_are_named_after_run_recipe_and_overrides(tmp_path: Path) -> None:
    launchers = {"subprocess": ProcessLauncher(Settings(out=tmp_path))}

    def name(recipe: str, *overrides: str) -> str:
        return spec_of(TrainRequested(run_id=RUN_ID, recipe=recipe, overrides=overrides), launchers).name  # type: ignore[arg-type]

    names = {name("tiny_cpu"), name("tiny_cpu", "epochs=2"), name("tiny_cpu_2"), name("x" * 40), name("x" * 39 + "y")}
    assert len(names) == 5
    for one in names:
        assert JobEnded(job=one).run_id == RUN_ID
        assert len(one) <= 59


def test_what_an_exit_means() -> None:
    assert outcome_of(0) == ("succeeded", "")
    assert [outcome_of(status)[0] for status in (1, 2, 75, -9, -15)] == [
        "failed", "failed", "preempted", "preempted", "preempted",
    ]  # fmt: skip


def test_a_machine_without_the_trainers_environment_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.process_jobs.TRAINER", Path("/nowhere"))
    with pytest.raises(Rejected, match="make setup-trainer"):
        trainer_command(Settings())
