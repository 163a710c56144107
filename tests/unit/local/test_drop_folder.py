"""The drop folder: what is whole is taken once, what is wrong is said and left until it changes."""

import json
import os
from pathlib import Path

import pytest

from deploy.local import drop_folder
from deploy.local.drop_folder import DropFolder
from shared.config_text import ConfigError
from shared.inbox import MAX_CONFIG_BYTES


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test sets."""
    now = [0.0]
    monkeypatch.setattr(drop_folder.time, "monotonic", lambda: now[0])
    return now


def names(folder: DropFolder) -> list[str]:
    return [path.name for path, _ in folder.settled()]


def test_a_file_is_taken_once_it_has_not_changed_for_half_a_second(tmp_path: Path, moment: list[float]) -> None:
    folder, file = DropFolder(tmp_path), tmp_path / "run.yaml"
    file.write_text("users: 2")
    assert names(folder) == []
    moment[0] = 0.4
    file.write_text("users: 24")
    assert names(folder) == []
    moment[0] = 0.8
    assert names(folder) == []
    moment[0] = 0.9
    assert list(folder.settled()) == [(file, b"users: 24")]


def test_what_became_a_run_is_moved_away_under_the_runs_id(tmp_path: Path, moment: list[float]) -> None:
    folder = DropFolder(tmp_path)
    for run_id in ("20260217T000000Z-00000001", "20260217T000000Z-00000002"):
        (tmp_path / "run.yaml").write_text("users: 2")
        names(folder)
        moment[0] += 1
        assert names(folder) == ["run.yaml"]
        folder.accept(tmp_path / "run.yaml", run_id)
        assert names(folder) == []
    assert folder.run_ids() == ["20260217T000000Z-00000001", "20260217T000000Z-00000002"]
    assert (tmp_path / "accepted" / "20260217T000000Z-00000001.run.yaml").read_text() == "users: 2"


def test_what_was_refused_is_looked_at_again_when_it_changes(tmp_path: Path, moment: list[float]) -> None:
    folder, file = DropFolder(tmp_path), tmp_path / "run.yaml"
    file.write_text("users: many")
    names(folder)
    moment[0] = 1
    assert names(folder) == ["run.yaml"]
    folder.refuse(file, ConfigError(("users: input should be a valid integer",)))
    error = json.loads((tmp_path / "run.yaml.error.json").read_text())["error"]
    assert (error["code"], error["faults"]) == ("bad_config", ["users: input should be a valid integer"])
    moment[0] = 2
    assert names(folder) == []
    file.write_text("users: 24")
    assert names(folder) == []
    moment[0] = 3
    assert names(folder) == ["run.yaml"]
    folder.accept(file, "20260217T000000Z-00000001")
    assert not (tmp_path / "run.yaml.error.json").exists()


def test_only_files_of_yaml_are_looked_at(tmp_path: Path, moment: list[float]) -> None:
    folder = DropFolder(tmp_path)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "run.yaml.part").write_text("x")
    (tmp_path / "nowhere.yaml").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.yaml")
    names(folder)
    moment[0] = 1
    assert names(folder) == []


def test_of_a_huge_file_no_more_is_read_than_shows_that_it_is_too_large(tmp_path: Path, moment: list[float]) -> None:
    folder = DropFolder(tmp_path)
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(1 << 30)
    names(folder)
    moment[0] = 1
    assert [len(text) for _, text in folder.settled()] == [MAX_CONFIG_BYTES + 1]
