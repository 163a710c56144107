"""Faults on Google's emulators: whatever happens, a run's dataset is the embedded stack's, to the byte, and once.

The configs are small, so that a fault meets every phase of a run and not only its beginning.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import pubsub_v1 as pubsub

from deploy.topology import Topology, topology
from tests.e2e.command import CONFIG, fitsense, run_json
from tests.emulated import Emulated, dataset, emulated, files_of
from tests.emulators import environment
from tests.openai_server import Behaviour, Call, OpenAIServer

pytestmark = pytest.mark.slow

ATTEMPTS = topology().retry.emulator_max_delivery_attempts
DEADLINE_S = 10
"""The least that Pub/Sub allows."""
KILL_EVERY_S = 2.0
REJECTED = {"dataset-rejected"}
REMOTE = """\
teacher:
  provider: openai_compatible
  base_url: {base_url}
  model: big-teacher
  concurrency: 64
"""
RECORDED = """\
teacher: {{provider: recorded, path: {path}}}
"""
RECORDED_GATE = CONFIG.replace("max_rejected_share: 0.1", "max_rejected_share: 0.5")


def impatient() -> Topology:
    """Return the topology with a teacher that has as little time as can be."""
    graph = topology()
    hurried = graph.functions["teacher"].model_copy(update={"timeout_s": DEADLINE_S})
    return graph.model_copy(update={"functions": graph.functions | {"teacher": hurried}})


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    with emulated(tmp_path_factory.mktemp("faults"), impatient()) as found:
        yield found


Embedded = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    """Run a config on the embedded stack."""

    def run(text: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("embedded")
        (folder / "e2e.yaml").write_text(text)
        return run_json("run", folder / "e2e.yaml", "--out", folder)

    return run


@pytest.fixture(scope="module")
def undisturbed(embedded: Embedded) -> dict[str, Any]:
    return embedded(CONFIG)


def assert_same(up: Emulated, run_id: str, expected: dict[str, Any]) -> None:
    """Hold what a run left in the bucket against a run of the embedded stack."""
    made, theirs = up.artifacts(run_id), files_of(expected)
    assert dataset(made) == dataset(theirs)
    assert made.keys() == theirs.keys()


def place(up: Emulated) -> tuple[str, ...]:
    return ("--stack", "emulators", "--out", str(up.out))


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something in a thread until the body ends."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Echo:
    """Publishes a copy of the first of every event on a topic."""

    def __init__(self, up: Emulated, topic: str) -> None:
        self.copied: set[bytes] = set()
        project = up.stack.environment["FITSENSE_PROJECT"]
        with environment(up.stack.environment):
            self._publisher, self._subscriber = pubsub.PublisherClient(), pubsub.SubscriberClient()
        self._topic = self._publisher.topic_path(project, topic)
        self._path = self._subscriber.subscription_path(project, f"{topic}--echo")
        self._subscriber.create_subscription(request={"name": self._path, "topic": self._topic})

    def work(self, over: threading.Event) -> None:
        with self._subscriber:
            while not over.is_set():
                with suppress(DeadlineExceeded):
                    pulled = self._subscriber.pull(subscription=self._path, max_messages=100, timeout=1, retry=None)
                    for one in pulled.received_messages:
                        self._copy(one.message)
                        self._subscriber.acknowledge(subscription=self._path, ack_ids=[one.ack_id])
            self._subscriber.delete_subscription(subscription=self._path)

    def _copy(self, message: pubsub.types.PubsubMessage) -> None:
        if message.data not in self.copied:
            self._publisher.publish(self._topic, message.data, **message.attributes).result()
            self.copied.add(message.data)


def test_every_event_delivered_twice_changes_nothing(up: Emulated, undisturbed: dict[str, Any]) -> None:
    echoes = {name: Echo(up, name) for name, topic in topology().topics.items() if topic.resumable}
    with ExitStack() as stack:
        for echo in echoes.values():
            stack.enter_context(meanwhile(echo.work))
        run_id = up.drop(CONFIG)
        assert up.ended(run_id).status == "approved"
        wait_until(lambda: {topic for topic, echo in echoes.items() if echo.copied} == echoes.keys() - REJECTED)
    assert_same(up, run_id, undisturbed)
    assert up.letters(run_id) == []


def test_a_random_function_killed_every_two_seconds_loses_nothing(up: Emulated, embedded: Embedded) -> None:
    chosen, killed = random.Random(3), []

    def kill(over: threading.Event) -> None:
        while not over.wait(KILL_EVERY_S):
            victim = chosen.choice([one.name for one in up.stack.processes if one.name.startswith("functions:")])
            up.stack.kill(victim)
            killed.append(victim)

    text = CONFIG.replace("users: 24", "users: 1600").replace("shards: 3", "shards: 24")
    with meanwhile(kill):
        run_id = up.drop(text)
        record = up.ended(run_id)
    assert (record.status, record.reasons) == ("approved", ())
    assert len(killed) >= 4
    assert_same(up, run_id, embedded(text))


def test_pubsub_restarted_in_the_middle_is_made_good_by_resume(up: Emulated, undisturbed: dict[str, Any]) -> None:
    run_id = up.drop(CONFIG)
    up.wait_for(run_id, "profiles/0000.jsonl")
    up.stack.restart("pubsub")
    resumed = run_json("resume", run_id, *place(up))
    assert (resumed["exit"], resumed["status"]) == (0, "approved")
    assert_same(up, run_id, undisturbed)


def test_a_phase_that_always_fails_ends_in_dead_letters_and_replay_finishes_the_run(
    up: Emulated, undisturbed: dict[str, Any], embedded: Embedded, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.jsonl"
    text = RECORDED_GATE + RECORDED.format(path=answers)
    failing, other = up.drop(text, "recorded.yaml"), up.drop(CONFIG)
    record = up.ended(failing)
    assert record.status == "failed"
    assert f"teacher.path {answers} cannot be read" in record.reasons[0]
    assert up.ended(other).status == "approved"
    assert_same(up, other, undisturbed)
    wait_until(lambda: len(up.letters(failing)) == 3)
    assert {(letter.function, letter.attempts) for letter in up.letters(failing)} == {("teacher", ATTEMPTS)}
    assert record.reasons[0].removeprefix("teacher: ") in {letter.error for letter in up.letters(failing)}

    made = Path(undisturbed["out"]) / "distillation_dataset" / undisturbed["run_id"] / "all_records.jsonl"
    answers.write_bytes(made.read_bytes())
    replayed = fitsense("dead-letters", "replay", "--all", *place(up))
    assert (replayed.returncode, replayed.stdout.count("delivered")) == (0, 3), replayed.stderr
    assert up.ended(failing).status == "approved"
    assert up.letters(failing) == []
    assert_same(up, failing, embedded(text))


def test_work_longer_than_the_ack_deadline_is_not_done_twice(
    up: Emulated, undisturbed: dict[str, Any], embedded: Embedded
) -> None:
    lines = Path(undisturbed["out"]) / "distillation_dataset" / undisturbed["run_id"] / "all_records.jsonl"
    answers = {one["instruction"]: one["response"] for one in map(json.loads, lines.read_text().splitlines())}
    delay_s = DEADLINE_S + 3.0

    def behave(_: int, call: Call) -> Behaviour:
        message = {"content": answers[call["messages"][-1]["content"]]}
        body = {"choices": [{"message": message, "finish_reason": "stop"}]}
        return Behaviour(body=json.dumps(body).encode(), delay_s=delay_s)

    with OpenAIServer(behave) as server:
        text = CONFIG.replace("shards: 3", "shards: 1") + REMOTE.format(base_url=server.base_url)
        began = time.monotonic()
        run_id = up.drop(text, "slow.yaml")
        assert up.ended(run_id).status == "approved"
        assert time.monotonic() - began > delay_s
        assert server.seen.calls == len(answers)
        delay_s = 0.0
        expected = embedded(text)
    assert_same(up, run_id, expected)
    assert up.letters(run_id) == []


def test_five_percent_of_storage_calls_failing_changes_nothing(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    with emulated(tmp_path, storage_fail_share=0.05) as failing:
        run_id = failing.drop(CONFIG)
        assert failing.ended(run_id).status == "approved"
        assert_same(failing, run_id, undisturbed)
        assert failing.letters(run_id) == []


def wait_until(there: Callable[[], bool], patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.1)
