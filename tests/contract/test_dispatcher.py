"""The embedded bus with real worker processes: at least once, with backoff, dead letters and replacements."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cloudevents.http import CloudEvent

from deploy.dispatcher import Dispatcher
from deploy.topology import Topology
from deploy.worker import PhaseFunction
from shared import dead_letters, run_state
from shared.bus import Message, message
from shared.documents import Documents, SqliteDocuments, update
from shared.errors import Rejected, Stopped, Unavailable
from shared.events import RunRequested
from shared.runtime import runtime
from shared.settings import Settings

RUN_ID = "20260217T080910Z-0a1b2c3d"
EVENT = RunRequested(run_id=RUN_ID, shard=0, shards=1)
TOPOLOGY = Topology.model_validate(
    {
        "retry": {
            "max_delivery_attempts": 5,
            "emulator_max_delivery_attempts": 5,
            "cloud": {"min_backoff_s": 10, "max_backoff_s": 600},
            "local": {"min_backoff_s": 0.02, "max_backoff_s": 0.1},
        },
        "topics": {"run-requested": {}, "profiles-generated": {}},
        "dead_letters": {"topic": "dead-letters", "function": "dead-letters", "timeout_s": 60, "memory_mb": 256},
        "buckets": {"artifacts": {}, "configs": {}},
        "functions": {
            "first": {"trigger": "run-requested", "publishes": [], "timeout_s": 60, "memory_mb": 256},
            "second": {"trigger": "run-requested", "publishes": [], "timeout_s": 60, "memory_mb": 256},
            "waits": {
                "trigger": "profiles-generated", "publishes": [], "timeout_s": 60, "memory_mb": 256, "concurrency": 8,
            },
        },
    }
)  # fmt: skip


def note(documents: Documents, path: str) -> int:
    """Count a call, across processes; returns how many there have been."""
    return int(str(update(documents, path, lambda data: {"calls": int(str(data.get("calls", 0))) + 1})["calls"]))


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "documents.sqlite")


@contextmanager
def dispatching(
    tmp_path: Path, functions: dict[str, Callable[[Documents], None]], workers: int = 2
) -> Iterator[Dispatcher]:
    def find(name: str) -> PhaseFunction:
        def call(event: CloudEvent) -> None:
            note(runtime().documents, f"calls/{name}")
            functions.get(name, lambda _: None)(runtime().documents)

        return call

    found = Dispatcher(TOPOLOGY, Settings(out=tmp_path), SqliteDocuments(tmp_path / "documents.sqlite"), workers, find)
    with found.running():
        yield found


def calls(documents: Documents) -> dict[str, object]:
    return {found.path.removeprefix("calls/"): found.data["calls"] for found in documents.list("calls/")}


def test_every_subscription_of_a_topic_gets_each_message(tmp_path: Path, documents: SqliteDocuments) -> None:
    with dispatching(tmp_path, {}) as dispatcher:
        dispatcher.publish(message(EVENT))
        dispatcher.publish(message(EVENT))
        dispatcher.run_until_idle(lambda: None)
    assert calls(documents) == {"first": 2, "second": 2}


def test_what_a_delivery_publishes_is_delivered(tmp_path: Path, documents: SqliteDocuments) -> None:
    following = Message("profiles-generated", b"{}", {})

    def publishes(_: Documents) -> None:
        runtime().bus._pass_on(following)  # type: ignore[attr-defined]

    with dispatching(tmp_path, {"first": publishes}) as dispatcher:
        dispatcher.publish(message(EVENT))
        dispatcher.run_until_idle(lambda: None)
    assert calls(documents)["waits"] == 1


def test_a_delivery_that_fails_is_tried_again_until_it_succeeds(tmp_path: Path, documents: SqliteDocuments) -> None:
    def fails_twice(found: Documents) -> None:
        if note(found, "counts/failures") <= 2:
            raise Unavailable("not yet")

    with dispatching(tmp_path, {"first": fails_twice}) as dispatcher:
        dispatcher.publish(message(EVENT))
        dispatcher.run_until_idle(lambda: None)
    assert calls(documents)["first"] == 3
    assert dead_letters.letters(documents) == []


def test_a_bug_is_retried_too_and_then_buried_with_its_reason(tmp_path: Path, documents: SqliteDocuments) -> None:
    def is_broken(_: Documents) -> None:
        raise ZeroDivisionError("division by zero")

    with dispatching(tmp_path, {"first": is_broken}) as dispatcher:
        dispatcher.publish(message(EVENT))
        dispatcher.run_until_idle(lambda: None)
    (letter,) = dead_letters.letters(documents)
    assert (letter.function, letter.attempts) == ("first", 5)
    assert letter.error == "ZeroDivisionError: division by zero"
    assert calls(documents) == {"first": 5, "second": 1}
    record = run_state.run(documents, RUN_ID)
    assert (record.status, record.reasons) == ("failed", ("first: ZeroDivisionError: division by zero",))


def test_a_message_that_is_wrong_is_buried_at_once(tmp_path: Path, documents: SqliteDocuments) -> None:
    def refuses(_: Documents) -> None:
        raise Rejected("shard: must be 0 or more")

    with dispatching(tmp_path, {"first": refuses}) as dispatcher:
        dispatcher.publish(message(EVENT))
        dispatcher.run_until_idle(lambda: None)
    assert [letter.attempts for letter in dead_letters.letters(documents)] == [1]


def test_a_delivery_that_reached_a_limit_is_neither_tried_again_nor_buried(
    tmp_path: Path, documents: SqliteDocuments
) -> None:
    def is_spent(_: Documents) -> None:
        raise Stopped("the limit is spent")

    with dispatching(tmp_path, {"first": is_spent}) as dispatcher:
        dispatcher.publish(message(EVENT))
        dispatcher.run_until_idle(lambda: None)
    assert calls(documents) == {"first": 1, "second": 1}
    assert dead_letters.letters(documents) == []


def test_a_replayed_letter_is_gone_once_it_succeeds(tmp_path: Path, documents: SqliteDocuments) -> None:
    def fails_five_times(found: Documents) -> None:
        if note(found, "counts/failures") <= 5:
            raise Unavailable("not yet")

    with dispatching(tmp_path, {"first": fails_five_times}) as dispatcher:
        dispatcher.publish(message(EVENT))
        dispatcher.run_until_idle(lambda: None)
        (letter,) = dead_letters.letters(documents)
        dispatcher.replay(letter)
        dispatcher.run_until_idle(lambda: None)
    assert dead_letters.letters(documents) == []
    assert calls(documents) == {"first": 6, "second": 1}


def test_a_worker_killed_at_work_is_replaced_and_its_delivery_redone(
    tmp_path: Path, documents: SqliteDocuments
) -> None:
    def kills_itself_once(found: Documents) -> None:
        if note(found, "counts/kills") == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    with dispatching(tmp_path, {"first": kills_itself_once}) as dispatcher:
        dispatcher.publish(message(EVENT))
        dispatcher.run_until_idle(lambda: None)
    assert calls(documents) == {"first": 2, "second": 1}


def test_deliveries_that_only_wait_share_a_worker(tmp_path: Path, documents: SqliteDocuments) -> None:
    def waits_for_seven_others(found: Documents) -> None:
        deadline = time.monotonic() + 20
        while calls(found)["waits"] != 8 and time.monotonic() < deadline:
            time.sleep(0.01)

    began = time.monotonic()
    with dispatching(tmp_path, {"waits": waits_for_seven_others}, workers=1) as dispatcher:
        for number in range(8):
            dispatcher.publish(Message("profiles-generated", str(number).encode(), {}))
        dispatcher.run_until_idle(lambda: None)
    assert calls(documents) == {"waits": 8}
    assert time.monotonic() - began < 20


def test_no_worker_outlives_a_killed_dispatcher(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    child = os.fork()
    if child == 0:
        with dispatching(tmp_path, {"first": lambda _: time.sleep(60)}, workers=3) as dispatcher:
            pids.write_text(" ".join(str(worker.process.pid) for worker in dispatcher._workers))
            dispatcher.publish(message(EVENT))
            dispatcher.run_until_idle(lambda: None)
    while not pids.exists() or len(pids.read_text().split()) < 3:
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 5
    left = pids.read_text().split()
    while left and time.monotonic() < deadline:
        left = [pid for pid in left if Path(f"/proc/{pid}").exists() and "Z" not in state_of(pid)]
        time.sleep(0.02)
    assert left == []


def state_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return "Z"
