"""From a dataset to a promoted model by the command line, with a quick stand-in for the trainer that can fail."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import registry, run_state
from shared.documents import SqliteDocuments
from shared.events import ModelServed, TrainRequested
from shared.paths import dataset_file
from shared.runtime import build
from shared.settings import Settings
from shared.spool import names
from tests.e2e.command import CONFIG, FITSENSE, ROOT, fitsense, run_json

pytestmark = pytest.mark.slow

RUN_ID = "20260217T080910Z-0a1b2c3d"
STAND_IN = json.dumps([sys.executable, str(Path(__file__).parents[1] / "stand_in_job.py")])
PATIENCE_S = 100.0
WORK_OFF = """
import sys
from pathlib import Path
from deploy.embedded import embedded
with embedded(Path(sys.argv[1]), 1) as stack:
    stack.work_off(lambda: None)
"""


class Training:
    """A directory with a dataset, and the command on it."""

    def __init__(self, out: Path, marks: Path) -> None:
        self.out = out
        self.marks = marks
        self.runtime = build(Settings(out=out))
        self.runtime.store.create(dataset_file(RUN_ID, "manifest.json"), b"{}")
        self.documents = SqliteDocuments(out / "documents.sqlite")

    def train(self, behaviour: str, *more: str) -> dict[str, Any]:
        told = ("--recipe", "tiny_cpu", "--set", f"do={behaviour}", "--out", str(self.out), *more)
        return run_json("train", RUN_ID, *told)

    def starts(self) -> int:
        return sum(len(path.read_text().splitlines()) for path in self.marks.iterdir())

    def pid(self) -> int:
        wait_until(lambda: self.starts() > 0)
        (marks,) = self.marks.iterdir()
        return int(marks.read_text().splitlines()[-1])

    def serve(self, version: str, environment: str) -> None:
        """Tell that a server answers with a version, as its agent does, and have it delivered."""
        fields = {"run_id": RUN_ID, "version": version, "environment": environment, "percent": 100}
        self.runtime.bus.publish(ModelServed.model_validate(fields | {"backend": "http://vm", "adapter": version}))
        # By a stack of its own: a command would deliver this beside what it asks for itself, in any order.
        subprocess.run([sys.executable, "-c", WORK_OFF, self.out], cwd=ROOT, check=True)


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Training]:
    marks = tmp_path / "marks"
    marks.mkdir()
    monkeypatch.setenv("STAND_IN_FOLDER", str(marks))
    monkeypatch.setenv("FITSENSE_TRAINER_COMMAND", STAND_IN)
    monkeypatch.setenv("COLUMNS", "300")
    yield Training(tmp_path / "out", marks)
    for path in marks.iterdir():
        for pid in path.read_text().split():
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and b"stand_in_job" in command.read_bytes():
                os.kill(int(pid), signal.SIGKILL)


def test_a_followed_training_ends_with_a_registered_model_that_may_be_promoted(training: Training) -> None:
    ended = training.train("make", "--follow")
    assert (ended["exit"], ended["status"], ended["registered"]) == (0, "succeeded", True)
    version = ended["version"]
    assert version == registry.version_of(RUN_ID, "tiny_cpu", "tiny")
    at = ("--out", training.out)
    listed = run_json("models", *at)
    assert [one["version"] for one in listed["models"]] == [version]
    assert version in fitsense("models", version, *at).stdout

    rejected = run_json("promote", version, "--environment", "prod", "--reason", "why not", *at)
    assert (rejected["exit"], rejected["verdict"]) == (3, "rejected")
    assert any("prod needs a model that stage has served" in reason for reason in rejected["reasons"])
    told = fitsense("promote", version, "--environment", "dev", "--actor", "ana", *at)
    assert told.returncode == 0, told.stderr
    assert f"promoted  {version} → dev" in told.stdout
    assert names(training.out / "bus" / "pull" / "model-promoted--vllm-vm")

    training.serve(version, "dev")
    staged = run_json("promote", version, "--environment", "stage", *at)
    assert (staged["exit"], staged["verdict"]) == (0, "promoted")
    shown = fitsense("models", version, *at).stdout
    assert "dev" in shown
    assert "stage (not loaded yet)" in shown
    assert "why not" in shown
    pointer, _ = registry.pointer(training.documents, "dev")
    assert pointer
    assert pointer.served


def test_training_twice_is_one_job_and_what_is_done_is_found_done(training: Training) -> None:
    first = training.train("make-later")
    assert (first["exit"], first["status"]) == (0, "started")
    training.pid()
    again = training.train("make-later")
    assert (again["exit"], again["status"], again["job"]) == (0, "started", first["job"])
    assert training.starts() == 1


def test_a_killed_job_is_told_of_and_trained_again_it_goes_on(training: Training) -> None:
    command = [FITSENSE, "train", RUN_ID, "--recipe", "tiny_cpu", "--set", "do=make-later", "--follow", "--json"]
    following = subprocess.Popen([*command, "--out", str(training.out)], stdout=subprocess.PIPE, text=True)
    os.kill(training.pid(), signal.SIGKILL)
    answer, _ = following.communicate(timeout=PATIENCE_S)
    ended = json.loads(answer)
    assert (following.returncode, ended["status"], ended["registered"]) == (1, "preempted", False)
    assert "killed by signal 9" in ended["reason"]
    again = training.train("make-later", "--follow")
    assert (again["exit"], again["status"], again["registered"]) == (0, "succeeded", True)
    assert training.starts() == 2


def test_a_job_outlives_the_command_that_started_it_and_its_model_is_registered_by_the_next(training: Training) -> None:
    started = training.train("make")
    assert started["exit"] == 0
    job = training.out / "jobs" / started["job"] / "state.json"
    wait_until(lambda: json.loads(job.read_text())["status"] == "ended")
    assert training.train("make", "--follow")["registered"]
    assert training.starts() == 1


def test_a_job_that_fails_says_so_and_where_its_log_is(training: Training) -> None:
    told = ("train", RUN_ID, "--recipe", "tiny_cpu", "--set", "do=fail", "--follow", "--out", str(training.out))
    done = fitsense(*told)
    assert done.returncode == 1
    assert "failed  job train-20260217t080910z-0a1b2c3d-tiny-cpu-" in done.stdout
    assert "exit status 3; its log says why" in done.stdout
    assert "Log " in done.stdout


def test_events_that_come_twice_change_nothing(training: Training) -> None:
    for _ in range(2):
        request = TrainRequested(run_id=RUN_ID, recipe="tiny_cpu", overrides=("do=make",))
        training.runtime.bus.publish(request)
    ended = training.train("make", "--follow")
    assert (ended["status"], ended["registered"], training.starts()) == ("succeeded", True, 1)
    record = registry.model(training.documents, ended["version"])
    for folder in (training.out / "bus" / "new", training.out / "bus" / "push"):
        assert [path for path in folder.rglob("*.json") if "inference-router" not in str(path)] == []
    assert registry.models(training.documents) == [record]


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("train", RUN_ID, "--recipe", "nonsense"), 2, "there is no recipe 'nonsense'; there are"),
        (("train", "20260101T000000Z-00000000", "--recipe", "tiny_cpu"), 1, "has no dataset to train on"),
        (("train", "nonsense", "--recipe", "tiny_cpu"), 2, "run_id"),
        (("promote", "nonsense", "--environment", "dev"), 2, "is no model version"),
        (("promote", f"{RUN_ID}-00000000", "--environment", "dev"), 3, ""),
        (("models", f"{RUN_ID}-00000000"), 1, "there is no model"),
        (("compare", f"{RUN_ID}-00000000", f"{RUN_ID}-00000001"), 1, "there is no model"),
        (("evaluate", f"{RUN_ID}-00000000"), 1, "there is no model"),
    ],
)
def test_wrong_input_is_said_in_a_line(
    training: Training, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    done = fitsense(*arguments, "--out", training.out)
    assert done.returncode == status, done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_models_can_be_compared(training: Training) -> None:
    first = training.train("make", "--follow")["version"]
    rows = run_json_list("compare", first, first, "--out", training.out)
    assert {row["difference"] for row in rows} == {0.0}
    assert "strict plan" in fitsense("compare", first, first, "--out", training.out).stdout


def run_json_list(*arguments: str | Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(fitsense(*arguments, "--json").stdout)
    return found


def test_a_run_whose_config_says_so_is_trained_by_itself(training: Training, tmp_path: Path) -> None:
    config = tmp_path / "auto.yaml"
    config.write_text(CONFIG + "training: {start: true, overrides: [do=make]}\n")
    ended = run_json("run", config, "--out", training.out)
    assert ended["status"] == "approved"
    wait_until(lambda: training.starts() == 1)
    version = registry.version_of(ended["run_id"], "tiny_cpu", "tiny")
    manifest = training.out / "models" / version / "manifest.json"
    wait_until(manifest.exists)
    wait_until(lambda: names(training.out / "bus" / "new"))
    told = ("--recipe", "tiny_cpu", "--set", "do=make", "--follow", "--out", training.out)
    assert fitsense("train", ended["run_id"], *told).returncode == 0
    assert registry.model(training.documents, version).run_id == ended["run_id"]
    assert run_state.run(training.documents, ended["run_id"]).status == "approved"


def test_the_demo_ends_with_a_student_in_dev_that_prod_turns_down_and_a_plan_to_read(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_BEHAVIOUR", "make")
    config = tmp_path / "demo.yaml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "deploy.demo", str(config), "--no-serve", "--out", str(training.out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    for words in ("approved", "strict plan, generic schema", "the checker finds nothing wrong", "→ dev", "→ prod"):
        assert words in said
    assert said.index("promoted  ") < said.index("rejected  ")
    assert "prod needs a model that stage has served" in said
    assert "RIR" in said


def test_a_demo_whose_training_fails_says_so_and_exits_1(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_BEHAVIOUR", "fail")
    config = tmp_path / "demo.yaml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "deploy.demo", str(config), "--no-serve", "--out", str(training.out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 1
    assert "no student came of it: failed: exit status 3" in done.stderr
