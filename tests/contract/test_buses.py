"""The bus port: every adapter passes this suite."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier

import google.cloud.pubsub_v1 as pubsub
import pytest

from shared import spool
from shared.bus import Bus, Message, Outbox, message
from shared.errors import Unavailable
from shared.events import ConfigDropped, ProfilesGenerated, RunRequested
from shared.gcp import clients
from shared.gcp.bus import PubSubBus
from tests.emulators import environment
from tests.places import NOWHERE, Fresh, Place
from tests.racing import in_processes, in_threads

RUN_ID = "20260101T000000Z-0123abcd"
DELIVERY_S = 15

pytestmark = pytest.mark.filterwarnings("ignore:The return_immediately flag:DeprecationWarning")


class Listener:
    """A bus under test, and everything that its only subscriber has been given."""

    def __init__(self, bus: Bus, pull: Callable[[], list[Message]], place: Place | None = None) -> None:
        self.bus = bus
        self.place = place
        self._pull = pull

    def wait_for(self, count: int) -> list[Message]:
        """Return messages in the order of their data, each once, when there are so many."""
        found: dict[bytes, Message] = {}
        deadline = time.monotonic() + DELIVERY_S
        while len(found) < count and time.monotonic() < deadline:
            found |= {one.data: one for one in self._pull()}
        return [found[data] for data in sorted(found)]


@pytest.fixture(params=["outbox", "spool", pytest.param("pubsub", marks=pytest.mark.slow)])
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    if request.param == "outbox":
        passed_on: list[Message] = []
        yield Listener(Outbox(passed_on.append), lambda: passed_on)
    elif request.param == "spool":
        place = request.getfixturevalue("embedded")()
        yield Listener(place.runtime().bus, lambda: spooled(place), place)
    else:
        fresh: Fresh = request.getfixturevalue("on_pubsub")
        place = fresh()
        with environment(place.variables), pubsub.SubscriberClient() as subscriber:
            subscribe(place, subscriber, RunRequested.topic, ConfigDropped.topic)
            yield Listener(place.runtime().bus, lambda: pull(place, subscriber), place)


def spooled(place: Place) -> list[Message]:
    folder = place.settings.out / "bus" / "new"
    return [spool.read(folder / name).message for name in spool.names(folder)]


def subscribe(place: Place, subscriber: pubsub.SubscriberClient, *topics: str) -> None:
    publisher = pubsub.PublisherClient()
    for topic in topics:
        path = publisher.topic_path(place.settings.project, topic)
        publisher.create_topic(name=path)
        subscriber.create_subscription(name=subscriber.subscription_path(place.settings.project, topic), topic=path)
    publisher.stop()
    publisher.transport.close()


def pull(place: Place, subscriber: pubsub.SubscriberClient) -> list[Message]:
    found = []
    for topic in (RunRequested.topic, ConfigDropped.topic):
        path = subscriber.subscription_path(place.settings.project, topic)
        answer = subscriber.pull(subscription=path, max_messages=100, return_immediately=True)
        for one in answer.received_messages:
            found.append(Message(topic, one.message.data, dict(one.message.attributes)))
            subscriber.acknowledge(subscription=path, ack_ids=[one.ack_id])
    return found


def shard(number: int) -> RunRequested:
    return RunRequested(run_id=RUN_ID, shard=number, shards=1000)


def test_what_is_flushed_has_been_handed_over_as_it_was(listener: Listener) -> None:
    listener.bus.publish(shard(1))
    listener.bus.publish(shard(2))
    listener.bus.flush()
    assert listener.wait_for(2) == [message(shard(1)), message(shard(2))]
    assert RunRequested.from_message(message(shard(1)).data, {}) == shard(1)


def test_a_dropped_config_travels_in_attributes(listener: Listener) -> None:
    dropped = ConfigDropped(bucket="b", name="runs/ü.yaml", generation="1", finalized_at="2026-01-01T00:00:00Z")
    listener.bus.publish(dropped)
    listener.bus.flush()
    (found,) = listener.wait_for(1)
    assert ConfigDropped.from_message(found.data, found.attributes) == dropped


def test_nothing_to_flush_is_flushed(listener: Listener) -> None:
    listener.bus.flush()
    listener.bus.flush()


def test_each_of_many_threads_hands_over_its_own(listener: Listener) -> None:
    def publish_and_flush(number: int) -> None:
        for each in range(25):
            listener.bus.publish(shard(number * 25 + each))
        listener.bus.flush()

    in_threads(8, publish_and_flush)
    assert listener.wait_for(200) == sorted((message(shard(number)) for number in range(200)), key=lambda one: one.data)


@pytest.mark.parametrize("listener", ["spool", pytest.param("pubsub", marks=pytest.mark.slow)], indirect=True)
def test_each_of_many_processes_hands_over_its_own(listener: Listener) -> None:
    assert listener.place
    in_processes(4, publish_alone, listener.place)
    assert listener.wait_for(4) == [message(shard(number)) for number in range(4)]


def publish_alone(number: int, start: Barrier, place: Place) -> None:
    bus = place.runtime().bus
    start.wait()
    bus.publish(shard(number))
    bus.flush()


PUBLISH_AND_END = f"""
from shared.runtime import runtime
from shared.events import RunRequested
runtime().bus.publish(RunRequested(run_id="{RUN_ID}", shard=0, shards=1000))
"""


@pytest.mark.slow
@pytest.mark.parametrize("listener", ["pubsub"], indirect=True)
def test_a_process_that_ends_hands_over_what_it_did_not_flush(listener: Listener) -> None:
    assert listener.place
    told = {"FITSENSE_STACK": "emulators", "FITSENSE_PROJECT": listener.place.settings.project}
    with environment(listener.place.variables | told):
        subprocess.run([sys.executable, "-c", PUBLISH_AND_END], check=True, timeout=60)
    assert listener.wait_for(1) == [message(shard(0))]


@pytest.mark.slow
def test_a_topic_that_is_not_there_is_unavailable_by_name(on_pubsub: Fresh) -> None:
    bus = on_pubsub().runtime().bus
    bus.publish(ProfilesGenerated(run_id=RUN_ID, shard=0, shards=1, profiles_uri="x"))
    with pytest.raises(Unavailable, match="topic profiles-generated"):
        bus.flush()
    bus.flush()


@pytest.mark.slow
def test_what_one_thread_could_not_hand_over_does_not_trouble_another(on_pubsub: Fresh) -> None:
    bus = on_pubsub().runtime().bus
    bus.publish(shard(0))
    in_threads(1, lambda _: bus.flush())
    with pytest.raises(Unavailable):
        bus.flush()


@pytest.mark.slow
def test_a_service_that_is_away_is_unavailable() -> None:
    with environment(NOWHERE):
        bus = PubSubBus(clients.publisher(), "nobody", patience_s=0.5)
    bus.publish(shard(0))
    with pytest.raises(Unavailable, match="topic run-requested"):
        bus.flush()
