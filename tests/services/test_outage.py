"""Outage: Postgres goes away in the middle and comes back: 503 with Retry-After, then service; nothing half-written."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Server
from tests.postgres import server as run_server
from tests.services.rig import PASSWORD, Person, Rig, new_set
from tests.services.rig import rig as run_rig

PATIENCE_S = 120
SAFE = ("max_connections=100", "shared_buffers=32MB")
"""Unlike other tests' servers, this one is killed: what it has answered has to be on disk."""


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    with run_server(tmp_path / "postgres", SAFE) as running:
        yield running


@pytest.fixture
def mortal_rig(mortal: Server, tmp_path: Path) -> Iterator[Rig]:
    with mortal.copy() as name, run_rig(mortal, name, tmp_path / "keys") as running:
        yield running


def back_again(person: Person) -> None:
    """Ask until the service serves again."""
    deadline = time.monotonic() + PATIENCE_S
    while person.ask("GET", "/v1/dashboard").status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_while_postgres_is_down_everything_is_503_and_then_served_again(mortal: Server, mortal_rig: Rig) -> None:
    ann = mortal_rig.person()
    ann.workout(sets=1)
    mortal.stop()
    login = {"email": ann.email, "password": PASSWORD}
    for method, path, body in (
        ("GET", "/v1/dashboard", None),
        ("POST", "/v1/workouts", {}),
        ("GET", "/v1/me", None),
        ("POST", "/v1/auth/login", login),
    ):
        answer = ann.ask(method, path, body)
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json["error"]["code"] == "unavailable"
    assert mortal_rig.ask("GET", "/readyz").status_code == 503
    assert mortal_rig.ask("GET", "/healthz").status_code == 200
    mortal.start()
    back_again(ann)
    assert ann.ask("POST", "/v1/auth/login", login).status_code == 200
    assert mortal_rig.ask("GET", "/readyz").status_code == 200
    assert ann.get("/v1/dashboard")["weeks"][-1]["sets"] == 1


def test_when_postgres_is_killed_under_writes_what_was_answered_is_there_and_sums_fit(
    mortal: Server, mortal_rig: Rig
) -> None:
    ann = mortal_rig.person()
    workout_id, entry_id = ann.workout()
    path = f"/v1/workouts/{workout_id}/sets"
    answered: list[int] = []
    statuses: set[int] = set()
    stop = threading.Event()

    def write() -> None:
        for number in range(1, 99):
            if stop.is_set():
                return
            status = ann.ask("POST", path, new_set(entry_id, number), Idempotency_Key=f"set {number}".replace(" ", "-"))
            statuses.add(status.status_code)
            if status.status_code == 201:
                answered.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    deadline = time.monotonic() + PATIENCE_S
    while len(answered) < 10 and time.monotonic() < deadline:
        time.sleep(0.005)
    mortal.stop(signal.SIGQUIT)  # immediate shutdown: as good as a crash
    stop.set()
    writer.join()
    mortal.start()
    back_again(ann)
    assert statuses <= {201, 503}
    there = [one["number"] for one in ann.get(f"/v1/workouts/{workout_id}")["exercises"][0]["sets"]]
    assert set(answered) <= set(there)
    assert ann.get("/v1/dashboard")["weeks"][-1]["sets"] == len(there)
    for number in sorted(set(there) | {max(there) + 1}):
        again = ann.ask("POST", path, new_set(entry_id, number), Idempotency_Key=f"set-{number}")
        assert again.status_code == 201, again.text
    assert ann.get("/v1/dashboard")["weeks"][-1]["sets"] == len(there) + 1


def test_a_restart_between_two_requests_is_not_noticed(mortal: Server, mortal_rig: Rig) -> None:
    ann = mortal_rig.person()
    ann.workout(sets=1)
    mortal.stop()
    mortal.start()
    deadline = time.monotonic() + PATIENCE_S
    while mortal.sql("SELECT pg_is_in_recovery()")[0][0]:
        assert time.monotonic() < deadline
    assert ann.ask("GET", "/v1/dashboard").status_code == 200
    assert ann.ask("POST", "/v1/workouts", {}).status_code == 201
    assert ann.ask("GET", "/v1/me").status_code == 200


def test_a_connection_that_was_not_used_for_long_is_asked_whether_it_lives(
    mortal: Server, mortal_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = mortal_rig.person()
    ann.get("/v1/dashboard")
    monkeypatch.setattr("shared.database.IDLE_S", 0.0)
    monkeypatch.setattr("shared.database._has_something_to_say", lambda _: False)
    mortal.stop()
    mortal.start()
    assert ann.ask("GET", "/v1/dashboard").status_code == 200
    assert ann.ask("GET", "/v1/dashboard").status_code == 200
