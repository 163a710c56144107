"""Intake: what run.json says, and what decides a config's digest."""

import re
from pathlib import Path

import pytest

from functions.intake.resolve import code_version
from shared.config_text import parse_config
from shared.run_config import config_sha256
from tests.pipeline import CONFIG, Pipeline

BASE = parse_config(CONFIG.format(users=8, shards=2).encode())


def test_a_config_notified_twice_is_one_run(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    run_id, first = pipeline.drop(users=4, shards=2)
    assert pipeline.deliver(first) == pipeline.deliver(first)
    assert pipeline.runtime.store.names("runs/") == [f"runs/{run_id}/run.json"]


def test_a_config_dropped_twice_is_two_runs(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    assert pipeline.drop(users=4, shards=2)[0] != pipeline.drop(users=4, shards=2)[0]


def test_a_run_is_found_again_by_its_id(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.drop(users=4, shards=2)
    run_id, _ = pipeline.drop(users=5, shards=2)
    assert pipeline.runtime.inbox.find(run_id).run_id == run_id


@pytest.mark.parametrize("change", [{"shards": 3}, {"name": "other"}])
def test_what_changes_no_content_changes_no_digest(change: dict[str, object]) -> None:
    assert config_sha256(BASE.model_copy(update=change)) == config_sha256(BASE)


@pytest.mark.parametrize("change", [{"seed": 8}, {"users": 9}, {"lookback_days": 60}])
def test_what_changes_content_changes_the_digest(change: dict[str, object]) -> None:
    assert config_sha256(BASE.model_copy(update=change)) != config_sha256(BASE)


def test_the_code_version_needs_no_git() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", code_version())
