"""The job: killed at every stage in turn it ends with the same model; started again it tells the same."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.artifacts import DirectoryStore
from shared.documents import SqliteDocuments
from shared.paths import dataset_file
from tests.unit.trainer_job.toy_run import RUN_ID, SPLITS, digests, manifest_of, toy_base, toy_dataset, toy_recipe

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow
PATIENCE_S = 300
LIVE = ("after", "never", "*", "1")
DEATHS = [
    ("before", "read", "*chat_val.jsonl", "1"),
    ("before", "read", "*chat_train.jsonl", "2"),
    ("midway", "local", "*checkpoint-4*", "1"),
    ("midway", "write", "*/checkpoints/000004.tar", "1"),
    ("after", "write", "*/checkpoints/000008.tar", "1"),
    ("before", "write", "*/adapter/adapter_config.json", "1"),
    ("midway", "write", "*/adapter/adapter_model.safetensors", "1"),
    ("before", "write", "*/training.json", "1"),
    ("after", "write", "*/training.json", "1"),
    ("midway", "write", "*/eval_report.json", "1"),
    ("before", "write", "*/model_card.md", "1"),
    ("midway", "write", "*/manifest.json", "1"),
    ("before", "publish", "model-evaluated", "1"),
    ("before", "delete", "*/checkpoints/000012.tar", "1"),
]
"""In the order of a job; each start dies at the next one, if it is not the last."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_base(tmp_path_factory.mktemp("base"))


class Place:
    """A store with a dataset, and jobs started on it as processes."""

    def __init__(self, folder: Path, base: Path, splits: dict[str, int] = SPLITS) -> None:
        self.out = folder / "out"
        self.store = DirectoryStore(self.out)
        toy_dataset(self.store, splits)
        self.arguments = ["job", RUN_ID, "--recipe", str(toy_recipe(folder, base)), "--work", str(folder / "work")]

    def start(self, *more: str, death: tuple[str, ...] = LIVE, lease_s: float = 2) -> "subprocess.Popen[str]":
        """Start a job."""
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'trainer-job'}",
            "FITSENSE_OUT": str(self.out),
            "FITSENSE_LEASE_S": str(lease_s),
            "FITSENSE_JOB": "train-it",
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "tests.unit.trainer_job.mortal", *death, *self.arguments, *more]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=pipe, stderr=pipe, text=True)

    def run(self, *more: str, death: tuple[str, ...] = LIVE) -> tuple[int, str, str]:
        """Run a job to its end; returns its status and what it said."""
        process = self.start(*more, death=death)
        said, errors = process.communicate(timeout=PATIENCE_S)
        return process.returncode, said, errors

    def published(self) -> list[bytes]:
        """Return the events, in order."""
        file = self.out / "published.jsonl"
        return file.read_bytes().splitlines() if file.exists() else []

    def told(self) -> dict[str, object]:
        """Return the document of the one training."""
        (found,) = SqliteDocuments(self.out / "documents.sqlite").list("training/")
        return found.data

    def wait_for_step(self, least: int) -> None:
        """Return once so many steps are noted, or checkpoints of them kept."""
        deadline = time.monotonic() + PATIENCE_S
        while not any(int(path.stem) >= least for path in self.out.glob("runs/*/training/*/checkpoints/*.tar")):
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def place(tmp_path: Path, base: Path) -> Place:
    return Place(tmp_path, base)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Place:
    place = Place(tmp_path_factory.mktemp("undisturbed"), base)
    status, _, errors = place.run()
    assert (status, errors) == (0, errors)
    return place


def test_a_job_makes_a_model_whose_manifest_names_every_file(undisturbed: Place) -> None:
    manifest = manifest_of(undisturbed.out)
    (event,) = map(json.loads, undisturbed.published())
    found = digests(undisturbed.out, f"models/{event['version']}/**/*")
    found.pop(f"models/{event['version']}/manifest.json")
    assert {f"models/{event['version']}/{name}": file["sha256"] for name, file in manifest["files"].items()} == found
    assert event["manifest_uri"].endswith(f"{event['version']}/manifest.json")
    assert event["version"].startswith(RUN_ID)
    assert {"adapter/adapter_model.safetensors", "model_card.md", "eval_report.json"} <= set(manifest["files"])


def test_a_job_tells_how_far_it_is_and_leaves_logs(undisturbed: Place) -> None:
    told = undisturbed.told()
    assert (told["status"], told["step"], told["steps"], told["job"]) == ("done", 12, 12, "train-it")
    assert told["tokens_per_s"] > 0
    assert told["validation_loss"] < 10
    assert digests(undisturbed.out, f"runs/{RUN_ID}/training/*/tensorboard/events.*")
    assert not list(undisturbed.out.glob("runs/*/training/*/checkpoints/*.tar"))


def test_a_job_that_is_started_again_finds_it_done_and_tells_the_same(undisturbed: Place) -> None:
    before = digests(undisturbed.out, "models/**/*")
    assert undisturbed.run()[0] == 0
    assert len(set(undisturbed.published())) == 1
    assert len(undisturbed.published()) > 1
    assert digests(undisturbed.out, "models/**/*") == before


def test_killed_at_every_stage_in_turn_it_ends_with_the_same_model(place: Place, undisturbed: Place) -> None:
    for death in DEATHS:
        status, said, errors = place.run(death=death)
        assert status == -signal.SIGKILL, f"{death} never came: {said}{errors}"
    assert place.run()[0] == 0
    kept = "models/2*/[aetm]*[!t].*"
    assert digests(place.out, "models/2*/adapter/*") == digests(undisturbed.out, "models/2*/adapter/*")
    assert digests(place.out, kept).keys() == digests(undisturbed.out, kept).keys()
    assert {event["version"] for event in map(json.loads, place.published())} == {
        manifest_of(undisturbed.out)["version"]
    }
    assert len(place.published()) == 2
    assert not list(place.out.glob("runs/*/training/*/checkpoints/*.tar"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_in_training_it_says_so_and_goes_on_to_the_same_weights(
    number: signal.Signals, place: Place, undisturbed: Place
) -> None:
    process = place.start()
    place.wait_for_step(4)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, place.told()["status"]) == (75, "interrupted")
    assert "start it again to go on" in errors
    assert place.run()[0] == 0
    assert digests(place.out, "models/2*/adapter/*") == digests(undisturbed.out, "models/2*/adapter/*")


def test_of_two_jobs_for_one_version_one_works_and_the_other_finds_it_done(place: Place) -> None:
    both = [place.start("--work", str(place.out / name), lease_s=20) for name in ("one", "other")]
    said = [process.communicate(timeout=PATIENCE_S)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("validation loss" in text for text in said) == 1
    assert len(place.published()) == 2
    assert len(set(place.published())) == 1


def test_a_damaged_checkpoint_is_passed_over(place: Place, undisturbed: Place) -> None:
    place.run(death=("after", "write", "*/checkpoints/000012.tar", "1"))
    (newest,) = place.out.glob("runs/*/training/*/checkpoints/000012.tar")
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(bytes(content))
    status, _, errors = place.run()
    assert status == 0
    assert "a checkpoint is passed over" in errors
    assert digests(place.out, "models/2*/adapter/*") == digests(undisturbed.out, "models/2*/adapter/*")


@pytest.mark.parametrize("change", ["truncated", "altered"])
def test_a_dataset_that_was_changed_is_refused_by_its_hash(change: str, place: Place) -> None:
    file = place.out / dataset_file(RUN_ID, "chat_train.jsonl")
    content = file.read_bytes()
    file.write_bytes(content[:-7] if change == "truncated" else content.replace(b"Question 3", b"Question 4"))
    status, _, errors = place.run()
    assert status == 2
    assert "chat_train.jsonl" in errors
    assert "not what its manifest says" in errors
    assert not list(place.out.glob("models/*"))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--set", "lora.rnk=3"], "did you mean rank?"),
        (["--set", "lora.dropout=0.1"], "batches.arrange: packed"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_told_with_status_2(more: list[str], told: str, place: Place) -> None:
    status, _, errors = place.run(*more)
    assert status == 2
    assert told in errors


def test_a_run_without_a_dataset_is_not_found(place: Place) -> None:
    (place.out / dataset_file(RUN_ID, "manifest.json")).unlink()
    status, _, errors = place.run()
    assert (status, "has no dataset" in errors) == (2, True)


@pytest.mark.parametrize("split", ["train", "val"])
def test_an_empty_split_is_told_with_status_2(split: str, tmp_path: Path, base: Path) -> None:
    place = Place(tmp_path, base, SPLITS | {split: 0})
    status, _, errors = place.run()
    assert status == 2
    assert f"the split {split} is empty" in errors
    assert place.told()["status"] == "failed"
