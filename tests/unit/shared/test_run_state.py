"""What is noted of deliveries, for people to see."""

from pathlib import Path

import pytest

from shared import run_state
from shared.documents import SqliteDocuments
from shared.run_state import Delivery

RUN = "20260101T000000Z-00000000"


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "db.sqlite")


def test_an_attempt_that_finds_the_work_done_leaves_what_the_one_that_did_it_noted(documents: SqliteDocuments) -> None:
    with Delivery(documents, RUN, "dataset") as first:
        first.progress(800, cost_usd=0.5)
    worked = run_state.deliveries(documents, RUN)[0]
    with Delivery(documents, RUN, "dataset"):
        pass
    found = run_state.deliveries(documents, RUN)[0]
    assert (found.status, found.attempts, found.done, found.cost_usd) == ("done", 2, 800, 0.5)
    assert found.seconds >= worked.seconds


def test_a_failed_attempt_tells_why_until_one_succeeds(documents: SqliteDocuments) -> None:
    def fail() -> None:
        with Delivery(documents, RUN, "dataset"):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert run_state.deliveries(documents, RUN)[0].error == "ValueError: broken"
    with Delivery(documents, RUN, "dataset"):
        pass
    assert run_state.deliveries(documents, RUN)[0].error is None
