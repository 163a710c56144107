"""Whole runs on Google's emulators, begun from the command line and from outside, and looked after from there."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import storage

from deploy.topology import topology
from tests.e2e.command import CONFIG, FITSENSE, ROOT, fitsense, hashes, run_json
from tests.emulated import Emulated, dataset, emulated, files_of
from tests.emulators import environment

pytestmark = pytest.mark.slow

ATTEMPTS = topology().retry.emulator_max_delivery_attempts
SMALL = ROOT / "deploy" / "runs" / "small.yaml"
BROKEN = "name: broken\nusrs: 3\n"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    with emulated(tmp_path_factory.mktemp("up")) as found:
        yield found


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "e2e.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def undisturbed(config: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run_json("run", config, "--out", tmp_path_factory.mktemp("embedded"))


def test_the_small_run_is_the_same_to_the_byte_on_the_emulators(up: Emulated, tmp_path: Path) -> None:
    ours = run_json("run", SMALL, "--stack", "emulators", "--out", up.out)
    theirs = run_json("run", SMALL, "--out", tmp_path)
    assert (ours["exit"], ours["status"]) == (0, "approved")
    assert hashes(ours) == hashes(theirs)
    assert ours["counts"] == theirs["counts"]
    assert ours.keys() == theirs.keys()
    downloaded = Path(ours["out"]) / "distillation_dataset" / ours["run_id"]
    assert dataset(files_of(ours)) == dataset(files_of(theirs))
    assert sorted(path.name for path in downloaded.iterdir()) == sorted(hashes(ours))
    assert Path(ours["report"]).is_file()
    assert Path(ours["report"]).is_relative_to(up.out)
    assert up.artifacts(ours["run_id"]).keys() == files_of(theirs).keys()


def test_a_config_uploaded_by_the_python_client_starts_a_run(up: Emulated, undisturbed: dict[str, Any]) -> None:
    with environment(up.stack.environment):
        client = storage.Client(project=up.stack.environment["FITSENSE_PROJECT"])
    blob = client.bucket(up.stack.environment["FITSENSE_CONFIG_BUCKET"]).blob("runs/python.yaml")
    blob.upload_from_string(CONFIG, content_type="application/yaml")
    assert_run_of(up, "python.yaml", str(blob.generation), undisturbed)


def test_a_config_copied_by_gcloud_starts_a_run(
    up: Emulated, config: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        pytest.skip("this test needs gcloud, of the Google Cloud SDK, on PATH")
    target = f"gs://{up.stack.environment['FITSENSE_CONFIG_BUCKET']}/runs/gcloud.yaml"
    variables = os.environ | up.stack.environment | {"CLOUDSDK_CONFIG": str(tmp_path)}
    subprocess.run([gcloud, "storage", "cp", str(config), target], env=variables, check=True, capture_output=True)
    assert_run_of(up, "gcloud.yaml", None, undisturbed)


def assert_run_of(up: Emulated, name: str, generation: str | None, undisturbed: dict[str, Any]) -> None:
    """Find the run that a config became, and hold its dataset against the embedded stack's."""
    deadline = time.monotonic() + 60
    dropped_as = f"{up.stack.environment['FITSENSE_CONFIG_BUCKET']}/runs/{name}#{generation or ''}"
    while not (found := [one for one in run_files(up) if one["dropped_as"].startswith(dropped_as)]):
        assert time.monotonic() < deadline, f"{name} became no run"
        time.sleep(0.2)
    (run,) = found
    assert up.ended(run["run_id"]).status == "approved"
    made = up.artifacts(run["run_id"])
    assert dataset(made) == dataset(files_of(undisturbed))
    assert made.keys() == files_of(undisturbed).keys()


def run_files(up: Emulated) -> list[dict[str, Any]]:
    store = up.runtime.store
    return [json.loads(store.read(name)) for name in store.names("runs/") if name.endswith("/run.json")]


def test_a_broken_config_gets_an_error_document_beside_it_and_becomes_a_dead_letter(up: Emulated) -> None:
    run_id = up.drop(BROKEN, "broken.yaml")
    record = up.ended(run_id)
    assert record.status == "failed"
    assert "did you mean users?" in " ".join(record.reasons)
    with environment(up.stack.environment):
        bucket = storage.Client().bucket(up.stack.environment["FITSENSE_CONFIG_BUCKET"])
    error = json.loads(bucket.blob("runs/broken.yaml.error.json").download_as_bytes())["error"]
    assert (error["code"], error["run_id"]) == ("bad_config", run_id)
    letter = dead_letter(up, run_id)
    assert (letter["function"], letter["topic"], letter["attempts"]) == ("intake", "config-dropped", ATTEMPTS)
    assert "did you mean users?" in letter["error"]
    assert up.record(run_id).reasons == record.reasons
    replayed = fitsense("dead-letters", "replay", letter["id"], *place(up))
    assert (replayed.returncode, "failed again" in replayed.stdout) == (1, True)
    assert fitsense("dead-letters", "drop", "--all", *place(up)).returncode == 0
    assert fitsense("dead-letters", "list", *place(up)).stdout == "no dead letters\n"


def dead_letter(up: Emulated, run_id: str) -> dict[str, Any]:
    """Wait for the one dead letter of a run, and return it as the command line shows it."""
    deadline = time.monotonic() + 60
    while not up.letters(run_id):
        assert time.monotonic() < deadline, "no dead letter"
        time.sleep(0.2)
    (letter,) = json.loads(fitsense("dead-letters", "list", "--json", *place(up)).stdout)
    return dict(letter)


def place(up: Emulated) -> tuple[str, ...]:
    return ("--stack", "emulators", "--out", str(up.out))


def test_ctrl_c_leaves_a_run_that_goes_on_without_the_command(up: Emulated, config: Path) -> None:
    command = [FITSENSE, "run", str(config), *place(up), "--set", "users=120"]
    following = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert following.stderr
    run_id = following.stderr.readline().strip().removeprefix("run ")
    up.wait_for(run_id, "profiles/0000.jsonl")
    os.killpg(following.pid, signal.SIGINT)
    output, errors = following.communicate(timeout=30)
    assert following.returncode == 130
    assert "Traceback" not in output + errors
    assert f"runs {run_id} --out {up.out} --stack emulators" in output
    assert up.ended(run_id).status == "approved"
    (shown,) = [run for run in json.loads(fitsense("runs", "--json", *place(up)).stdout) if run["run_id"] == run_id]
    assert (shown["status"], shown["users"]) == ("approved", 120)
    assert run_id in fitsense("runs", run_id, *place(up)).stdout


def test_a_stack_is_started_for_a_run_where_none_is_up(config: Path, undisturbed: Any, tmp_path: Path) -> None:
    done = fitsense("run", config, "--stack", "emulators", "--out", tmp_path, "--json")
    assert done.stderr.startswith(f"no emulators run on {tmp_path}: starting them for this command\n")
    outcome = json.loads(done.stdout)
    assert hashes(outcome) == hashes(undisturbed)
    # Configs and artifacts outlive the stack, so a run can go on; the state of runs is in memory and does not.
    resumed = run_json("resume", outcome["run_id"], "--stack", "emulators", "--out", tmp_path)
    assert (resumed["status"], resumed["dataset"]) == ("approved", outcome["dataset"])
