"""The spool with its dispatcher: a message is never lost, whoever is killed, and delivered at least once."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cloudevents.http import CloudEvent

from deploy import queues as queues_module
from deploy.dispatcher import Dispatcher
from deploy.queues import Queues
from deploy.topology import Topology
from deploy.worker import PhaseFunction
from shared import dead_letters, identity
from shared.bus import Message
from shared.documents import SqliteDocuments
from shared.push import message_in
from shared.runtime import runtime
from shared.settings import Settings
from shared.spool import Spool, names, read, write_whole
from tests.racing import begun

LIMITS = {"publishes": [], "timeout_s": 60, "memory_mb": 256}
GRAPH = Topology.model_validate(
    {
        "retry": {
            "max_delivery_attempts": 5,
            "emulator_max_delivery_attempts": 8,
            "cloud": {"min_backoff_s": 10, "max_backoff_s": 600},
            "local": {"min_backoff_s": 0.02, "max_backoff_s": 0.1},
        },
        "topics": {"asked": {}, "answered": {}, "in-memory": {"resumable": True}, "told": {}},
        "functions": {"answer": {"trigger": "asked", **LIMITS}, "file": {"trigger": "answered", **LIMITS}},
        "services": {"desk": {"subscribes": {"told": "/events/told", "answered": "/events/answered"}}},
        "pulls": {"far-away": {"topic": "answered"}},
        "dead_letters": {"topic": "dead-letters", "function": "dead-letters", "timeout_s": 60, "memory_mb": 256},
        "buckets": {"artifacts": {}, "configs": {}},
    }
)
PATIENCE_S = 60.0


def wait_until(true: object) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def functions(name: str) -> PhaseFunction:
    """Functions that note each call in a document, and of which `answer` publishes."""

    def call(event: CloudEvent) -> None:
        message = message_in(event)
        runtime().documents.create(f"calls/{name}-{message.data.decode()}-{time.time_ns()}", {})
        if message.data == b"slow":
            time.sleep(PATIENCE_S)
        if name == "answer":
            runtime().bus._pass_on(Message("answered", message.data, {}))  # type: ignore[attr-defined]

    return call


@contextmanager
def dispatching(out: Path, services: dict[str, str] | None = None) -> Iterator[Dispatcher]:
    documents = SqliteDocuments(out / "documents.sqlite")
    dispatcher = Dispatcher(GRAPH, Settings(out=out), documents, 2, functions, services)
    with dispatcher.running():
        yield dispatcher


def calls(out: Path) -> list[str]:
    found = SqliteDocuments(out / "documents.sqlite").list("calls/")
    return [one.path.removeprefix("calls/").rpartition("-")[0] for one in found]


def left(out: Path, folder: str) -> list[str]:
    return [read(out / "bus" / folder / name).message.data.decode() for name in names(out / "bus" / folder)]


def publish(out: Path, topic: str, *texts: str) -> None:
    for text in texts:
        Spool(out / "bus").send(Message(topic, text.encode(), {}))


def test_what_was_published_while_nobody_delivered_is_delivered_with_all_that_follows(tmp_path: Path) -> None:
    publish(tmp_path, "asked", "a", "b")
    with dispatching(tmp_path) as dispatcher:
        dispatcher.run_until_idle(lambda: None)
    assert sorted(calls(tmp_path)) == ["answer-a", "answer-b", "file-a", "file-b"]
    assert left(tmp_path, "new") == left(tmp_path, "push/asked--answer") == left(tmp_path, "push/answered--file") == []


def test_what_another_process_publishes_while_it_works_is_delivered_too(tmp_path: Path) -> None:
    with dispatching(tmp_path) as dispatcher:
        begun(publish, tmp_path, "asked", "late").join()
        dispatcher.run_until(lambda: "file-late" in calls(tmp_path), lambda: None)
    assert calls(tmp_path) == ["answer-late", "file-late"]


def test_those_who_ask_and_services_that_are_away_find_their_messages_later(tmp_path: Path) -> None:
    publish(tmp_path, "asked", "a")
    with dispatching(tmp_path) as dispatcher:
        dispatcher.run_until_idle(lambda: None)
    assert left(tmp_path, "pull/answered--far-away") == ["a"]
    assert left(tmp_path, "push/answered--desk") == ["a"]


def test_resumable_topics_stay_in_memory(tmp_path: Path) -> None:
    with dispatching(tmp_path) as dispatcher:
        dispatcher.publish(Message("in-memory", b"a", {}))
        assert names(tmp_path / "bus" / "new") == []


def test_a_spool_has_one_owner_and_the_next_takes_over_what_it_left(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "bus")
    first, second = Queues(spool, GRAPH, {"answer"}), Queues(spool, GRAPH, {"answer"})
    publish(tmp_path, "asked", "a")
    assert [kept.message.data for _, kept in first.take()] == [b"a"]
    publish(tmp_path, "asked", "b")
    assert list(second.take()) == []
    first.release()
    assert [kept.message.data for _, kept in second.take()] == [b"a", b"b"]
    assert list(second.take()) == []
    second.release()


def deliver_for_ever(out: Path) -> None:
    with dispatching(out) as dispatcher:
        dispatcher.run_until(lambda: False, lambda: None)


@pytest.mark.slow
def test_a_dispatcher_killed_at_work_loses_nothing_and_the_next_delivers_it(tmp_path: Path) -> None:
    process = begun(deliver_for_ever, tmp_path)
    publish(tmp_path, "asked", "slow", *map(str, range(40)))
    wait_until(lambda: len(calls(tmp_path)) > 10)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert left(tmp_path, "push/asked--answer")[0] == "slow"
    for name in names(tmp_path / "bus" / "push" / "asked--answer"):
        kept = read(tmp_path / "bus" / "push" / "asked--answer" / name)
        if kept.message.data == b"slow":
            kept.file.unlink()
    with dispatching(tmp_path) as dispatcher:
        dispatcher.run_until_idle(lambda: None)
    assert {f"file-{number}" for number in range(40)} <= set(calls(tmp_path))


@pytest.mark.slow
def test_a_message_is_never_lost_wherever_its_owner_is_killed(tmp_path: Path) -> None:
    for number in range(12):
        publish(tmp_path, "asked", *(f"{number}x{each}" for each in range(10)))
        process = begun(deliver_for_ever, tmp_path)
        time.sleep(0.1 * number)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    with dispatching(tmp_path) as dispatcher:
        dispatcher.run_until_idle(lambda: None)
    expected = {f"file-{number}x{each}" for number in range(12) for each in range(10)}
    assert expected <= set(calls(tmp_path))
    assert set(left(tmp_path, "pull/answered--far-away")) == {name.removeprefix("file-") for name in expected}


def test_half_a_sorting_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, "answered", "a")
    queues = Queues(Spool(tmp_path / "bus"), GRAPH, {"file"})
    monkeypatch.setattr(queues_module, "done", lambda _: os.close(-1))  # dies before it deletes the new file
    with pytest.raises(OSError, match="Bad file descriptor"):
        list(queues.take())
    monkeypatch.undo()
    queues.release()
    with dispatching(tmp_path) as dispatcher:
        dispatcher.run_until_idle(lambda: None)
    assert "file-a" in calls(tmp_path)
    assert left(tmp_path, "pull/answered--far-away") == ["a"]


def test_a_file_that_is_no_message_is_put_aside(tmp_path: Path) -> None:
    for content in (b"", b"{}", b"[1]", b"\xff", b'{"topic": "asked", "data": "%%", "attributes": 3}'):
        write_whole(tmp_path / "bus" / "new" / f"{len(content)}.json", content)
    publish(tmp_path, "asked", "a")
    with dispatching(tmp_path) as dispatcher:
        dispatcher.run_until_idle(lambda: None)
    assert calls(tmp_path) == ["answer-a", "file-a"]
    assert len(names(tmp_path / "bus" / "unreadable")) == 5


def test_what_nobody_came_for_in_a_week_is_let_go(tmp_path: Path) -> None:
    old = f"{time.time_ns() - (queues_module.RETENTION_S + 60) * 1_000_000_000:020d}-0.json"
    folder = tmp_path / "bus" / "push" / "told--desk"
    publish(tmp_path, "told", "new")
    write_whole(folder / old, (tmp_path / "bus" / "new" / names(tmp_path / "bus" / "new")[0]).read_bytes())
    queues = Queues(Spool(tmp_path / "bus"), GRAPH, set())
    assert list(queues.take()) == []
    queues.release()
    assert left(tmp_path, "push/told--desk") == ["new"]
    assert len(names(folder)) == 1


class Desk:
    """A service that answers what it is told to."""

    def __init__(self, answers: list[int]) -> None:
        self.bodies: list[dict[str, object]] = []
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                bearer = self.headers["Authorization"].removeprefix("Bearer ")
                desk.bodies.append(body | {"path": self.path, "bearer": bearer})
                self.send_response(answers.pop(0) if answers else 204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_a_service_is_pushed_what_pubsub_would_push(tmp_path: Path) -> None:
    desk = Desk([])
    Spool(tmp_path / "bus").send(Message("told", b"hello", {"run_id": "r"}))
    with dispatching(tmp_path, {"desk": desk.url}) as dispatcher:
        dispatcher.run_until_idle(lambda: None)
    desk.close()
    (body,) = desk.bodies
    message = body["message"]
    assert isinstance(message, dict)
    assert body["path"] == "/events/told"
    assert body["subscription"] == "projects/local/subscriptions/told--desk"
    assert (message["data"], message["attributes"]) == ("aGVsbG8=", {"run_id": "r"})
    assert message["messageId"]
    assert message["publishTime"].endswith("Z")
    assert identity.services(Settings(out=tmp_path)).check(str(body["bearer"]), "desk") == "dispatcher"
    assert left(tmp_path, "push/told--desk") == []


def test_a_service_that_cannot_yet_is_asked_again_and_one_that_will_not_gets_a_dead_letter(tmp_path: Path) -> None:
    desk = Desk([503, 500, 401, 429, 204, 400])
    documents = SqliteDocuments(tmp_path / "documents.sqlite")
    with dispatching(tmp_path, {"desk": desk.url}) as dispatcher:
        publish(tmp_path, "told", "patience")
        dispatcher.run_until_idle(lambda: None)
        assert (len(desk.bodies), dead_letters.letters(documents)) == (5, [])
        publish(tmp_path, "told", "wrong")
        dispatcher.run_until_idle(lambda: None)
        (letter,) = dead_letters.letters(documents)
        assert (letter.function, letter.attempts, "answered 400" in letter.error) == ("desk", 1, True)
        dispatcher.replay(letter)
        dispatcher.run_until_idle(lambda: None)
    desk.close()
    assert (len(desk.bodies), dead_letters.letters(documents)) == (7, [])


def test_a_service_that_is_down_for_good_costs_attempts_and_then_a_dead_letter(tmp_path: Path) -> None:
    desk = Desk([])
    desk.close()
    publish(tmp_path, "told", "hello")
    with dispatching(tmp_path, {"desk": desk.url}) as dispatcher:
        dispatcher.run_until_idle(lambda: None)
    (letter,) = dead_letters.letters(SqliteDocuments(tmp_path / "documents.sqlite"))
    assert (letter.function, letter.attempts) == ("desk", GRAPH.retry.emulator_max_delivery_attempts)
    assert "does not answer" in letter.error
