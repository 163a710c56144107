"""Leases: one holder at a time, among threads and processes, on every document store that a stack uses."""

import signal
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from shared.documents import Documents
from shared.errors import Unavailable
from shared.lease import DocumentLeases, NoLeases
from tests.places import Fresh, Place
from tests.racing import begun, in_processes, in_threads

ADAPTERS = {"sqlite": "embedded", "firestore": "on_firestore"}
LEASE_S = 1.5
"""Long against what a renewal takes, even on a machine that does much else at once."""
WAIT_S = 30.0

pytestmark = pytest.mark.slow


@pytest.fixture(params=ADAPTERS)
def place(request: pytest.FixtureRequest) -> Place:
    fresh: Fresh = request.getfixturevalue(ADAPTERS[request.param])
    return fresh()


@pytest.fixture
def documents(place: Place) -> Documents:
    return place.runtime().documents


@pytest.fixture
def leases(documents: Documents) -> DocumentLeases:
    return DocumentLeases(documents, LEASE_S, WAIT_S)


def test_of_8_racing_threads_one_holds_at_a_time(leases: DocumentLeases, documents: Documents, tmp_path: Path) -> None:
    in_threads(8, lambda _: work_alone(leases, tmp_path / "alone"))
    assert documents.list("leases/") == []


def test_of_8_racing_processes_one_holds_at_a_time(place: Place, documents: Documents, tmp_path: Path) -> None:
    in_processes(8, work_alone_when_all_are_there, place, tmp_path / "alone")
    assert documents.list("leases/") == []


def work_alone_when_all_are_there(number: int, start: Barrier, place: Place, sign: Path) -> None:
    leases = DocumentLeases(place.runtime().documents, LEASE_S, WAIT_S)
    start.wait()
    work_alone(leases, sign)


def work_alone(leases: DocumentLeases, sign: Path) -> None:
    """Fail where somebody else is between the making and the removing of the sign."""
    with leases.held("run/profiles/0000"):
        sign.touch(exist_ok=False)
        time.sleep(0.02)
        sign.unlink()


def test_keys_do_not_wait_for_each_other(leases: DocumentLeases) -> None:
    with leases.held("run/profiles/0000"), leases.held("run/profiles/0001"), leases.held("run/profiles"):
        pass


def test_a_holder_that_is_killed_is_taken_over_after_the_lease_time_and_not_before(
    place: Place, leases: DocumentLeases, tmp_path: Path
) -> None:
    holding = tmp_path / "holding"
    process = begun(hold_for_ever, place, holding)
    wait_for(holding)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    died = time.monotonic()
    with leases.held("key"):
        assert LEASE_S * 3 / 4 <= time.monotonic() - died < 5 * LEASE_S


def hold_for_ever(place: Place, holding: Path) -> None:
    with DocumentLeases(place.runtime().documents, LEASE_S, WAIT_S).held("key"):
        holding.touch()
        time.sleep(60)


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_of_8_that_find_a_dead_holder_one_takes_over_at_a_time(
    documents: Documents, leases: DocumentLeases, tmp_path: Path
) -> None:
    documents.create("leases/run/profiles/0000", {"holder": "dead", "renewals": 3})
    in_threads(8, lambda _: work_alone(leases, tmp_path / "alone"))


def test_a_holder_that_works_longer_than_the_lease_time_keeps_it(place: Place, leases: DocumentLeases) -> None:
    impatient = DocumentLeases(place.runtime().documents, LEASE_S, 2.5 * LEASE_S)
    with leases.held("key"):
        began = time.monotonic()
        with pytest.raises(Unavailable, match="leases/key has been held"), impatient.held("key"):
            pass
        assert time.monotonic() - began >= 2.5 * LEASE_S


def test_who_waits_goes_on_soon_after_the_holder_is_done(leases: DocumentLeases) -> None:
    order: list[tuple[float, str]] = []

    def work(number: int) -> None:
        time.sleep(number * LEASE_S / 4)
        with leases.held("key"):
            order.append((time.monotonic(), "begun"))
            time.sleep(LEASE_S)
            order.append((time.monotonic(), "done"))

    in_threads(2, work)
    assert [what for _, what in order] == ["begun", "done", "begun", "done"]
    assert order[2][0] - order[1][0] < LEASE_S


def test_an_error_gives_the_lease_back(leases: DocumentLeases, documents: Documents) -> None:
    with pytest.raises(RuntimeError, match="died"), leases.held("key"):
        raise RuntimeError("died")
    assert documents.list("leases/") == []


def test_a_holder_that_lost_its_lease_leaves_the_new_holder_alone(
    leases: DocumentLeases, documents: Documents, caplog: pytest.LogCaptureFixture
) -> None:
    with leases.held("key"):
        documents.delete("leases/key")
        documents.create("leases/key", {"holder": "another", "renewals": 0})
        time.sleep(LEASE_S)
    assert [one.data["holder"] for one in documents.list("leases/")] == ["another"]
    assert "lost a lease" in caplog.text


def test_a_stack_that_never_delivers_beside_itself_needs_none() -> None:
    leases = NoLeases()
    with leases.held("key"), leases.held("key"):
        pass
