"""Trainings on Google's emulators: Cloud Run and Batch by their own clients, with a quick stand-in for the trainer."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.jobs_server.processes import JobFolder
from deploy.local import state
from shared import jobs, registry
from shared.errors import Rejected
from shared.events import ModelServed, PromoteRequested, Target, TrainRequested
from shared.paths import dataset_file
from tests.e2e.command import run_json
from tests.emulated import Emulated, emulated
from tests.emulators import environment

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The return_immediately flag:DeprecationWarning")]

STAND_IN = json.dumps([sys.executable, str(Path(__file__).parents[1] / "stand_in_job.py")])
PATIENCE_S = 150.0
NEEDED = ("train", "job-ended", "register", "promotion", "served", "monitor", "dead-letters")


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marks")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, marks: Path) -> Iterator[Emulated]:
    told = {"STAND_IN_FOLDER": str(marks), "FITSENSE_TRAINER_COMMAND": STAND_IN}
    with environment(told), emulated(tmp_path_factory.mktemp("up"), functions=NEEDED) as found:
        yield found
    for path in marks.iterdir():
        for pid in path.read_text().split():
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and b"stand_in_job" in command.read_bytes():
                os.kill(int(pid), signal.SIGKILL)


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def a_run(up: Emulated, digits: str) -> str:
    run_id = f"20260217T080910Z-{digits * 8}"
    up.runtime.store.create(dataset_file(run_id, "manifest.json"), b"{}")
    return run_id


def publish(up: Emulated, *events: TrainRequested | PromoteRequested | ModelServed) -> None:
    for event in events:
        up.runtime.bus.publish(event)
    up.runtime.bus.flush()


def is_registered(up: Emulated, version: str) -> bool:
    try:
        return bool(registry.model(up.runtime.documents, version))
    except Rejected:
        return False


@pytest.mark.parametrize(("target", "digits"), [("cloud_run", "a"), ("batch", "b")])
def test_a_training_asked_for_twice_is_one_job_that_ends_in_a_model_that_serves(
    up: Emulated, target: Target, digits: str
) -> None:
    run_id = a_run(up, digits)
    asked = TrainRequested(run_id=run_id, recipe="tiny_cpu", overrides=("do=make",), target=target)
    publish(up, asked, asked)
    version = registry.version_of(run_id, "tiny_cpu", "tiny")
    wait_until(lambda: is_registered(up, version))
    (spec,) = jobs.jobs_of(up.runtime.documents, run_id)
    with environment(up.stack.environment):
        launcher = up.runtime.launchers()[target]
        wait_until(lambda: (found := launcher.state(spec.name)) is not None and found.outcome == "succeeded")
        assert launcher.state(spec.name) == jobs.JobState(status="ended", outcome="succeeded")
    key = f"deliveries/{run_id}/job-ended/{spec.name}".replace("job-ended", "job_ended")
    wait_until(lambda: (found := up.runtime.documents.get(key)) is not None and found.data["status"] == "done")

    asked_into = ("--environment", "dev", "--stack", "emulators", "--out", str(up.out))
    decision = run_json("promote", version, *asked_into, "--force")
    assert (decision["exit"], decision["verdict"]) == (0, "promoted")
    with environment(up.stack.environment):
        subscription = up.runtime.subscription("model-promoted--vllm-vm")
    received = subscription.pull(10, 20)
    assert [json.loads(one.message.data)["version"] for one in received] == [version]
    subscription.ack([one.ack_id for one in received])

    fields = {"run_id": run_id, "version": version, "environment": "dev", "percent": 100}
    publish(up, ModelServed.model_validate(fields | {"backend": "http://vm", "adapter": version}))
    wait_until(lambda: registry.model(up.runtime.documents, version).served_in == ("dev",))
    assert up.letters(run_id) == []


def test_the_monitor_sees_a_promotion_that_no_server_answers_for_and_forgets_it_when_one_does(up: Emulated) -> None:
    waiting = registry.Pointer(version="20260217T080910Z-eeeeeeee-00000000", decision_id="d1")
    assert registry.move(up.runtime.documents, "prod", None, waiting)
    there = ("--stack", "emulators", "--out", str(up.out))
    seen = run_json("monitor", *there)
    assert (seen["exit"], "promotion/prod" in seen["seen"]) == (1, True)
    registry.note_served(up.runtime.documents, waiting.version, "prod")
    assert "promotion/prod" not in run_json("monitor", *there)["seen"]


def test_a_preempted_spot_job_goes_on(up: Emulated, marks: Path) -> None:
    run_id = a_run(up, "c")
    publish(up, TrainRequested(run_id=run_id, recipe="tiny_cpu", overrides=("do=make-later",), target="batch"))
    wait_until(lambda: jobs.jobs_of(up.runtime.documents, run_id))
    (spec,) = jobs.jobs_of(up.runtime.documents, run_id)
    folder = JobFolder(state.folder(up.out) / "jobs" / "batches" / spec.name)
    wait_until(lambda: (marks / spec.name).exists() and (found := folder.attempt()) is not None and found.pid)
    folder.preempt()
    wait_until(lambda: is_registered(up, registry.version_of(run_id, "tiny_cpu", "tiny")))
