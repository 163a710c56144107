"""Whole runs on the embedded stack, by the command line: what they make, and that nothing can spoil it."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.dispatcher import Dispatcher
from deploy.embedded import embedded
from deploy.topology import topology
from shared.bus import Message
from tests.e2e.command import CONFIG, FITSENSE, ROOT, fitsense, hashes, run_json

pytestmark = pytest.mark.slow

PHASES = {
    "intake": "run.json",
    "profiles": "profiles/0001",
    "workouts": "workouts/0001",
    "queries": "queries/0001",
    "teacher": "teacher/0001",
    "dataset": "all_records",
    "manifest": "manifest",
    "validate": "validation_report",
    "stats": "stats_report",
    "anomalies": "anomaly_report",
    "bias": "bias_report",
    "gate": "gate.json",
    "page": "index.html",
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "e2e.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def undisturbed(config: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run_json("run", config, "--out", tmp_path_factory.mktemp("undisturbed"))


def test_an_approved_run_says_so_in_one_object(undisturbed: dict[str, Any]) -> None:
    assert undisturbed["exit"] == 0
    assert undisturbed["status"] == "approved"
    assert undisturbed["gate"] == {"verdict": "approved", "reasons": []}
    counts = undisturbed["counts"]
    assert (counts["users"], counts["queries"]) == (24, 95)
    assert counts["train"] + counts["val"] + counts["test"] == counts["records"]
    assert Path(undisturbed["report"]).is_file()
    assert undisturbed["cost_usd"] == 0


def test_what_the_object_says_of_the_files_is_true(undisturbed: dict[str, Any]) -> None:
    import hashlib

    folder = Path(undisturbed["out"]) / "distillation_dataset" / undisturbed["run_id"]
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert found == hashes(undisturbed)


def test_shards_workers_and_hash_seeds_change_no_byte(config: Path, tmp_path: Path, undisturbed: Any) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    other = run_json("run", config, "--out", tmp_path, "--workers", "1", "--set", "shards=7", env=environment)
    assert hashes(other) == hashes(undisturbed)


def test_the_run_id_stands_in_no_file_of_the_dataset(undisturbed: dict[str, Any]) -> None:
    folder = Path(undisturbed["out"]) / "distillation_dataset" / undisturbed["run_id"]
    assert [path for path in folder.iterdir() if undisturbed["run_id"] in path.read_text()] == []


def test_a_rejected_run_exits_3_with_reasons(config: Path, tmp_path: Path) -> None:
    outcome = run_json("run", config, "--out", tmp_path, "--set", "gate.min_records=100000")
    assert (outcome["exit"], outcome["status"]) == (3, "rejected")
    assert any("100,000" in reason or "100000" in reason for reason in outcome["gate"]["reasons"])


def test_a_rejected_run_is_no_measure_for_the_next(config: Path, tmp_path: Path) -> None:
    other = ["--set", "gate.min_records=100000", "--set", "queries_per_user.coach_chat=9"]
    shifted = run_json("run", config, "--out", tmp_path, *other)
    assert shifted["status"] == "rejected"
    after = run_json("run", config, "--out", tmp_path, "--set", "gate.max_shift=0.01")
    assert after["status"] == "approved"


def test_an_approved_run_is_the_measure_for_the_next(config: Path, tmp_path: Path, undisturbed: Any) -> None:
    assert run_json("run", config, "--out", tmp_path)["status"] == undisturbed["status"] == "approved"
    shifted = run_json(
        "run", config, "--out", tmp_path, "--set", "gate.max_shift=0.01", "--set", "queries_per_user.coach_chat=9"
    )
    assert shifted["status"] == "rejected"
    assert any("moved" in reason for reason in shifted["gate"]["reasons"])


@pytest.mark.parametrize("place", ["before", "middle", "after"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_run_killed_in_a_phase_resumes_to_the_same_bytes(
    phase: str, place: str, config: Path, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.e2e.killing",
        place,
        PHASES[phase],
        "run",
        str(config),
        "--out",
        str(tmp_path),
    ]
    killed = subprocess.run(
        command, start_new_session=True, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    (run_id,) = [line.removeprefix("run ") for line in killed.stderr.splitlines() if line.startswith("run ")]
    resumed = run_json("resume", run_id, "--out", tmp_path)
    assert resumed["status"] == "approved"
    assert hashes(resumed) == hashes(undisturbed)


def test_ctrl_c_stops_cleanly_and_resume_goes_on(config: Path, tmp_path: Path) -> None:
    command = [FITSENSE, "run", str(config), "--out", str(tmp_path), "--set", "users=2000"]
    running = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list(tmp_path.glob("runs/*/profiles/*.jsonl")):
        assert running.poll() is None
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    output, errors = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Traceback" not in output + errors
    assert "fitsense resume" in output
    (run,) = json.loads(fitsense("runs", "--out", tmp_path, "--json").stdout)
    assert run["status"] == "interrupted"
    assert f"resume {run['run_id']} --out {tmp_path}" in output
    assert run_json("resume", run["run_id"], "--out", tmp_path)["status"] == "approved"


@pytest.mark.parametrize("seen", ["click", "pydantic", "shared.events"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_the_command_starts_leaves_quietly(
    seen: str, number: signal.Signals, config: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "deploy", "run", str(config), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as starting:
        assert starting.stderr
        next(line for line in starting.stderr if line.endswith(f" {seen}\n"))
        starting.send_signal(number)
        output, errors = starting.communicate(timeout=20)
    assert (starting.returncode, output) == (130, "")
    assert [line for line in errors.splitlines() if not line.startswith("import time:")] == []


@pytest.mark.parametrize("command", [["runs"], ["runs", "--json"], ["dead-letters", "list"], ["--help"]])
def test_a_full_standard_output_is_an_error_in_one_line(command: list[str], tmp_path: Path) -> None:
    words = [FITSENSE, *command, *([] if "--help" in command else ["--out", str(tmp_path)])]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"


def test_a_run_id_is_whole_however_narrow_the_terminal(config: Path, undisturbed: dict[str, Any]) -> None:
    for columns in ("20", "40", "80"):
        shown = fitsense("runs", "--out", undisturbed["out"], env=os.environ | {"COLUMNS": columns})
        assert undisturbed["run_id"] in shown.stdout


def test_two_runs_at_once_do_not_disturb_each_other(config: Path, tmp_path: Path, undisturbed: Any) -> None:
    command = [FITSENSE, "run", str(config), "--out", str(tmp_path), "--json"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    outcomes = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert outcomes[0]["run_id"] != outcomes[1]["run_id"]
    assert [hashes(outcome) for outcome in outcomes] == [hashes(undisturbed)] * 2


def test_a_full_disk_fails_the_run_with_a_reason_and_resume_finishes_it(
    config: Path, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    # The document database has to grow a little all the same, so it is there before the limit.
    fitsense("runs", "--out", tmp_path)
    failed = fitsense("run", config, "--out", tmp_path, preexec_fn=small_files_only)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr + failed.stdout
    (dropped,) = (tmp_path / "configs" / "runs").glob("e2e.yaml@*")
    assert dropped.is_file()
    run_id = failed.stderr.splitlines()[0].removeprefix("run ")
    resumed = run_json("resume", run_id, "--out", tmp_path)
    assert hashes(resumed) == hashes(undisturbed)


def test_a_place_that_cannot_be_written_is_an_error_and_no_traceback(config: Path) -> None:
    failed = fitsense("run", config, "--out", "/proc/fitsense")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: ")
    assert "Traceback" not in failed.stderr


@pytest.fixture
def poisoned(config: Path, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    with embedded(tmp_path, 2) as stack:
        dispatcher: Dispatcher = stack._dispatcher
        dispatcher.publish(Message("workouts-simulated", b'{"run_id": 7}', {"run_id": "another"}))
        dropped = stack.drop("runs/e2e.yaml", config.read_bytes())
        stack.follow(dropped.run_id, lambda: None)
    (letter,) = json.loads(fitsense("dead-letters", "list", "--out", tmp_path, "--json").stdout)
    return tmp_path, letter | {"run": dropped.run_id}


def test_a_poisoned_event_becomes_a_dead_letter_and_stops_nothing_else(
    poisoned: tuple[Path, dict[str, Any]],
) -> None:
    out, letter = poisoned
    assert letter["function"] == "queries"
    assert "run_id" in letter["error"]
    runs = {run["run_id"]: run["status"] for run in json.loads(fitsense("runs", "--out", out, "--json").stdout)}
    assert runs[letter["run"]] == "approved"


def test_a_dead_letter_can_be_replayed_and_dropped(poisoned: tuple[Path, dict[str, Any]]) -> None:
    out, letter = poisoned
    replayed = fitsense("dead-letters", "replay", letter["id"], "--out", out)
    assert (replayed.returncode, "failed again" in replayed.stdout) == (1, True)
    assert fitsense("dead-letters", "drop", letter["id"], "--out", out).returncode == 0
    assert "no dead letters" in fitsense("dead-letters", "list", "--out", out).stdout
    assert fitsense("dead-letters", "drop", letter["id"], "--out", out).returncode == 2


def test_a_phase_that_failed_is_finished_by_replaying_its_letter(
    config: Path, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    with embedded(tmp_path, 1) as stack:
        dropped = stack.runtime.inbox.drop("runs/e2e.yaml", config.read_bytes())
        # A file where a phase's folder belongs: it cannot write its artifacts, whatever it tries.
        obstacle = tmp_path / "runs" / dropped.run_id / "queries"
        obstacle.parent.mkdir(parents=True)
        obstacle.touch()
        stack.resume(dropped.run_id)
        stack.follow(dropped.run_id, lambda: None)
    letters = json.loads(fitsense("dead-letters", "list", "--out", tmp_path, "--json").stdout)
    most = topology().retry.max_delivery_attempts
    assert [(letter["function"], letter["attempts"]) for letter in letters] == [("queries", most)] * 3
    obstacle.unlink()
    assert fitsense("dead-letters", "replay", "--all", "--out", tmp_path).returncode == 0
    outcome = run_json("resume", dropped.run_id, "--out", tmp_path)
    assert outcome["status"] == "approved"
    assert hashes(outcome) == hashes(undisturbed)


def test_recorded_answers_make_the_same_records_again(config: Path, tmp_path: Path, undisturbed: Any) -> None:
    records = Path(undisturbed["out"]) / "distillation_dataset" / undisturbed["run_id"] / "all_records.jsonl"
    sets = [
        "--set",
        "teacher.provider=recorded",
        "--set",
        f"teacher.path={records}",
        "--set",
        "gate.max_rejected_share=0.5",
    ]
    outcome = run_json("run", config, "--out", tmp_path, *sets)
    assert outcome["counts"]["records"] == undisturbed["counts"]["records"]
