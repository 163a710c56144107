"""Pull on Pub/Sub: single requests. A stream of them loses messages on the emulator after a subscriber has gone."""

from collections.abc import Iterable

import google.cloud.pubsub_v1 as pubsub
from google.api_core.exceptions import DeadlineExceeded
from google.api_core.retry import Retry

from shared.bus import Message
from shared.gcp.clients import TRANSIENT, unavailable
from shared.pull import Received

PATIENCE_S = 30


class PubSubSubscription:
    """A subscription of a project, named <topic>--<subscriber>."""

    def __init__(self, subscriber: pubsub.SubscriberClient, project: str, name: str) -> None:
        self._subscriber = subscriber
        self._path = subscriber.subscription_path(project, name)
        self._topic = name.partition("--")[0]
        self._retry = Retry(predicate=TRANSIENT, initial=0.1, maximum=5, multiplier=2, timeout=PATIENCE_S)

    def pull(self, max_messages: int, wait_s: float) -> list[Received]:
        """Ask once, and wait for the answer."""
        with unavailable(self._path):
            try:
                answer = self._subscriber.pull(
                    subscription=self._path, max_messages=max_messages, timeout=max(wait_s, 1.0), retry=None
                )
            except DeadlineExceeded:
                return []
        return [self._received(one.ack_id, one.message) for one in answer.received_messages]

    def ack(self, ack_ids: Iterable[str]) -> None:
        """Acknowledge messages in one request."""
        if ids := list(ack_ids):
            with unavailable(self._path):
                self._subscriber.acknowledge(subscription=self._path, ack_ids=ids, retry=self._retry)

    def extend(self, ack_ids: Iterable[str], seconds: float) -> None:
        """Set another ack deadline, which Pub/Sub holds in whole seconds, 600 at most."""
        if ids := list(ack_ids):
            with unavailable(self._path):
                self._subscriber.modify_ack_deadline(
                    subscription=self._path,
                    ack_ids=ids,
                    ack_deadline_seconds=min(600, round(seconds)),
                    retry=self._retry,
                )

    def _received(self, ack_id: str, found: pubsub.types.PubsubMessage) -> Received:
        return Received(ack_id, Message(self._topic, found.data, dict(found.attributes)))
