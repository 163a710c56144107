"""The port of subscriptions that are asked: every adapter passes this suite."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import google.cloud.pubsub_v1 as pubsub
import pytest

from deploy.queues import Queues
from deploy.topology import topology
from shared.bus import Message
from shared.errors import Rejected, Unavailable
from shared.events import ModelPromoted
from shared.gcp.pull import PubSubSubscription
from shared.pull import Received, SpoolSubscription, Subscription
from shared.spool import Spool
from tests.emulators import environment
from tests.places import NOWHERE, Fresh, Place
from tests.racing import begun, in_processes, in_threads

NAME = "model-promoted--vllm-vm"
RUN_ID = "20260101T000000Z-0123abcd"
PATIENCE_S = 20.0

pytestmark = pytest.mark.filterwarnings("ignore:The return_immediately flag:DeprecationWarning")


class Subscribed:
    """A subscription under test, and how its topic is published to."""

    def __init__(self, place: Place, publish: Callable[[Message], None]) -> None:
        self.place = place
        self.publish = publish

    def subscription(self) -> Subscription:
        with environment(self.place.variables):
            return self.place.runtime().subscription(NAME)


def promoted(number: int) -> Message:
    return Message(ModelPromoted.topic, f"message {number:03d}".encode(), {"run_id": RUN_ID, "number": str(number)})


@pytest.fixture(params=["spool", pytest.param("pubsub", marks=pytest.mark.slow)])
def subscribed(request: pytest.FixtureRequest) -> Iterator[Subscribed]:
    if request.param == "spool":
        place: Place = request.getfixturevalue("embedded")()
        yield Subscribed(place, lambda message: sorted_by_a_dispatcher(place, message))
        return
    fresh: Fresh = request.getfixturevalue("on_pubsub")
    place = fresh()
    with environment(place.variables), pubsub.SubscriberClient() as subscriber:
        publisher = pubsub.PublisherClient()
        topic = publisher.topic_path(place.settings.project, ModelPromoted.topic)
        publisher.create_topic(name=topic)
        path = subscriber.subscription_path(place.settings.project, NAME)
        subscriber.create_subscription(name=path, topic=topic, ack_deadline_seconds=10)
        yield Subscribed(place, lambda one: publisher.publish(topic, one.data, **one.attributes).result(30))
        publisher.stop()
        publisher.transport.close()


def sorted_by_a_dispatcher(place: Place, message: Message) -> None:
    spool = Spool(place.settings.out / "bus")
    spool.send(message)
    queues = Queues(spool, topology(), set())
    assert list(queues.take()) == []
    queues.release()


def wait_for(subscription: Subscription, count: int) -> list[Received]:
    found: dict[bytes, Received] = {}
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < deadline:
        found |= {one.message.data: one for one in subscription.pull(10, 1.0)}
    return [found[data] for data in sorted(found)]


def test_what_is_published_is_given_out_as_it_was(subscribed: Subscribed) -> None:
    subscribed.publish(promoted(1))
    (found,) = wait_for(subscribed.subscription(), 1)
    assert found.message == promoted(1)


def test_where_nothing_is_published_nothing_comes(subscribed: Subscribed) -> None:
    assert subscribed.subscription().pull(10, 0.2) == []


def test_what_is_acknowledged_never_comes_again_and_may_be_acknowledged_twice(subscribed: Subscribed) -> None:
    subscribed.publish(promoted(1))
    subscription = subscribed.subscription()
    ids = [one.ack_id for one in wait_for(subscription, 1)]
    subscription.extend(ids, 600)
    subscription.ack(ids)
    subscription.ack(ids)
    assert subscription.pull(10, 0.5) == []


def test_what_is_given_back_comes_again_to_whoever_asks(subscribed: Subscribed) -> None:
    subscribed.publish(promoted(1))
    first = subscribed.subscription()
    first.extend([one.ack_id for one in wait_for(first, 1)], 0)
    (again,) = wait_for(subscribed.subscription(), 1)
    assert again.message == promoted(1)


def test_what_is_held_is_not_given_to_anybody_else(subscribed: Subscribed) -> None:
    subscribed.publish(promoted(1))
    first = subscribed.subscription()
    first.extend([one.ack_id for one in wait_for(first, 1)], 600)
    assert subscribed.subscription().pull(10, 0.5) == []


def test_no_more_is_given_out_than_was_asked_for(subscribed: Subscribed) -> None:
    for number in range(5):
        subscribed.publish(promoted(number))
    found = subscribed.subscription().pull(2, PATIENCE_S)
    assert 1 <= len(found) <= 2


def test_of_many_who_ask_each_gets_messages_of_its_own(subscribed: Subscribed) -> None:
    for number in range(20):
        subscribed.publish(promoted(number))

    def ask(_: int) -> list[bytes]:
        subscription, found = subscribed.subscription(), []
        while received := subscription.pull(3, 1.0):
            subscription.extend([one.ack_id for one in received], 600)
            found += [one.message.data for one in received]
        return found

    shares = in_threads(4, ask)
    assert sorted(data for share in shares for data in share) == [promoted(number).data for number in range(20)]


def test_processes_that_ask_share_a_spool(embedded: Fresh) -> None:
    place = embedded()
    for number in range(20):
        sorted_by_a_dispatcher(place, promoted(number))
    shares = in_processes(4, ask_alone, place)
    assert sorted(data for share in shares for data in share) == [promoted(number).data for number in range(20)]


def ask_alone(number: int, start: Barrier, place: Place) -> list[bytes]:
    del number
    subscription, found = place.runtime().subscription(NAME), []
    start.wait()
    while received := subscription.pull(3, 0.2):
        found += [one.message.data for one in received]
    return found


def test_what_a_killed_subscriber_had_comes_again_when_its_time_is_up(embedded: Fresh) -> None:
    place = embedded()
    sorted_by_a_dispatcher(place, promoted(1))
    folder = place.settings.out / "bus" / "pull" / NAME
    process = begun(hold_and_wait, folder)
    deadline = time.monotonic() + PATIENCE_S
    while not (held := [path for path in folder.iterdir() if "~" in path.name]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert held
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    (again,) = wait_for(SpoolSubscription(folder), 1)
    assert again.message == promoted(1)


def hold_and_wait(folder: Path) -> None:
    SpoolSubscription(folder, lease_s=2).pull(1, PATIENCE_S)
    time.sleep(60)


def test_an_id_that_was_never_given_out_is_refused(embedded: Fresh) -> None:
    with pytest.raises(Rejected, match="is no id of a message"):
        embedded().runtime().subscription(NAME).ack(["../../documents.sqlite"])


@pytest.mark.slow
def test_a_bus_that_is_away_is_unavailable() -> None:
    with environment(NOWHERE), pubsub.SubscriberClient() as subscriber:
        subscription = PubSubSubscription(subscriber, "nobody", NAME)
        with pytest.raises(Unavailable, match=NAME):
            subscription.pull(1, 1.0)
