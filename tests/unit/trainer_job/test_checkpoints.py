"""Checkpoints: what is kept in the store is what can be gone on from, whatever lies in the local folder."""

import json
from pathlib import Path

import pytest
from trainer_job.checkpoints import Checkpoints

from shared.artifacts import DirectoryStore


class Trained:
    """A training's folder and the store that it is kept in."""

    def __init__(self, folder: Path) -> None:
        self.local = folder / "local"
        self.store = DirectoryStore(folder / "store")
        self.checkpoints = Checkpoints(self.store, "runs/x/checkpoints")

    def saves(self, step: int, best: int | None = None) -> None:
        """Write a checkpoint as a trainer does."""
        checkpoint = self.local / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        state = {"best_global_step": best, "best_model_checkpoint": f"/elsewhere/checkpoint-{best}"}
        (checkpoint / "trainer_state.json").write_text(json.dumps(state))
        (checkpoint / "weights").write_bytes(bytes([step]) * 1000)
        self.checkpoints.keep(self.local)


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    return Trained(tmp_path)


def test_the_newest_is_gone_on_from_and_knows_where_the_best_lies_now(trained: Trained, tmp_path: Path) -> None:
    trained.saves(4, best=4)
    trained.saves(8, best=4)
    found = trained.checkpoints.restore(tmp_path / "another machine")
    assert found == tmp_path / "another machine/checkpoint-8"
    assert (found / "weights").read_bytes() == bytes([8]) * 1000
    best = json.loads((found / "trainer_state.json").read_text())["best_model_checkpoint"]
    assert (Path(best) / "weights").read_bytes() == bytes([4]) * 1000


def test_the_store_follows_the_folder(trained: Trained, tmp_path: Path) -> None:
    for step in (4, 8):
        trained.saves(step)
    (trained.local / "checkpoint-4/weights").unlink()
    (trained.local / "checkpoint-4/trainer_state.json").unlink()
    (trained.local / "checkpoint-4").rmdir()
    trained.saves(12)
    assert trained.checkpoints.steps() == [8, 12]
    trained.checkpoints.remove()
    assert trained.store.names("") == []
    assert trained.checkpoints.restore(tmp_path / "again") is None


def test_what_lies_in_the_folder_from_before_is_not_trusted(trained: Trained) -> None:
    trained.saves(4)
    (trained.local / "checkpoint-8").mkdir()
    (trained.local / "checkpoint-4/weights").write_bytes(b"half")
    found = trained.checkpoints.restore(trained.local)
    assert found == trained.local / "checkpoint-4"
    assert (found / "weights").read_bytes() == bytes([4]) * 1000
    assert not (trained.local / "checkpoint-8").exists()


@pytest.mark.parametrize("place", [10, 600, 3000])
def test_a_damaged_one_is_deleted_so_that_it_can_be_written_again(place: int, trained: Trained) -> None:
    trained.saves(4)
    trained.saves(8)
    file = next((Path(trained.store.uri("runs"))).rglob("000008.tar"))
    content = bytearray(file.read_bytes())
    content[place] ^= 0xFF
    file.write_bytes(bytes(content))
    assert trained.checkpoints.restore(trained.local) == trained.local / "checkpoint-4"
    assert trained.checkpoints.steps() == [4]


def test_one_whose_best_is_gone_is_not_gone_on_from(trained: Trained) -> None:
    trained.saves(4, best=4)
    trained.saves(8, best=4)
    trained.store.delete("runs/x/checkpoints/000004.tar")
    assert trained.checkpoints.restore(trained.local) is None
    assert trained.checkpoints.steps() == []
