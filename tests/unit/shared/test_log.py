"""Log: what goes into a process's lines, and what does not."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.log import log_to


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize(("level", "told"), [("INFO", ["warned"]), ("WARNING", ["warned"]), ("ERROR", [])])
def test_the_http_client_tells_of_trouble_and_not_of_every_call(tmp_path: Path, level: str, told: list[str]) -> None:
    log = tmp_path / "log.jsonl"
    root = logging.getLogger()
    root.handlers.clear()
    log_to(log, level)
    logging.getLogger("httpx").info("HTTP Request: GET http://127.0.0.1/")
    logging.getLogger("httpx").warning("warned")
    assert [line.split('"message": "')[1].split('"')[0] for line in log.read_text().splitlines()] == told
