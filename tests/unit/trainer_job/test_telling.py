"""Telling: one live line on a terminal, plain lines elsewhere, and a document that says how far it is."""

import io
from pathlib import Path

import pytest
from trainer_job.telling import Telling
from trainer_job.watch import Progress

from shared.documents import SqliteDocuments
from shared.errors import Unavailable


class Terminal(io.StringIO):
    """Something that looks like a terminal."""

    def isatty(self) -> bool:
        return True


class Away(SqliteDocuments):
    """Documents that cannot be reached."""

    def get(self, path: str) -> None:
        raise Unavailable("away")


def progress(step: int, validation_loss: float | None = None) -> Progress:
    return Progress(step, 100, 1.25, 4321.0, 3661.0, validation_loss)


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "documents.sqlite")


def test_a_judgement_is_noted_with_speed_and_time_to_go(documents: SqliteDocuments) -> None:
    telling = Telling(documents, io.StringIO())
    telling.version("20260102T030405Z-0a1b2c3d-01234567", "20260102T030405Z-0a1b2c3d", "job-1")
    telling.stage("training")
    telling.training(progress(50, 0.75))
    found = documents.get("training/20260102T030405Z-0a1b2c3d-01234567")
    assert found is not None
    assert found.data | {"updated_at": ""} == {
        "version": "20260102T030405Z-0a1b2c3d-01234567",
        "run_id": "20260102T030405Z-0a1b2c3d",
        "job": "job-1",
        "status": "running",
        "stage": "training",
        "step": 50,
        "steps": 100,
        "loss": 1.25,
        "validation_loss": 0.75,
        "tokens_per_s": 4321.0,
        "eta_s": 3661.0,
        "error": None,
        "updated_at": "",
    }
    telling.ended("failed", "why")
    ended = documents.get("training/20260102T030405Z-0a1b2c3d-01234567")
    assert ended is not None
    assert (ended.data["status"], ended.data["error"], ended.data["eta_s"]) == ("failed", "why", None)


def test_a_terminal_has_one_live_line_that_judgements_stay_above(documents: SqliteDocuments) -> None:
    out = Terminal()
    telling = Telling(documents, out)
    telling.training(progress(10))
    assert not out.getvalue().endswith("\n")
    telling.training(progress(50, 0.75))
    assert (
        out.getvalue()
        .splitlines()[-1]
        .endswith("step 50/100  loss 1.250  validation 0.750  4,321 tokens/s  1 h 01 min to go")
    )
    assert out.getvalue().endswith("\n")


def test_elsewhere_there_are_plain_lines_and_not_too_many(documents: SqliteDocuments) -> None:
    out = io.StringIO()
    telling = Telling(documents, out)
    for step in range(1, 50):
        telling.training(progress(step))
    telling.training(progress(50, 0.75))
    assert "\r" not in out.getvalue()
    assert 1 <= len(out.getvalue().splitlines()) <= 4


def test_a_job_goes_on_where_its_document_cannot_be_written(tmp_path: Path) -> None:
    telling = Telling(Away(tmp_path / "documents.sqlite"), io.StringIO())
    telling.version("v", "r", None)
    telling.ended("done")
