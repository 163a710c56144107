"""Bus on Pub/Sub: events travel in batches, and are handed over at a flush or at the process's end."""

import atexit
import logging
import threading

import google.cloud.pubsub_v1 as pubsub
from google.api_core.retry import Retry
from google.cloud.pubsub_v1.publisher.futures import Future

from shared.bus import Message, message
from shared.errors import Unavailable
from shared.event import Event
from shared.gcp.clients import TRANSIENT, unavailable

log = logging.getLogger("fitsense.bus")

PATIENCE_S = 60


class PubSubBus:
    """The topics of a project, which have the names of the events' topics.

    `patience_s` is how long a message is sent again while Pub/Sub is away. One sent twice is delivered twice,
    which every subscriber expects.
    """

    def __init__(self, publisher: pubsub.PublisherClient, project: str, patience_s: float = PATIENCE_S) -> None:
        self._publisher = publisher
        self._project = project
        self._patience_s = patience_s
        self._retry = Retry(predicate=TRANSIENT, initial=0.1, maximum=5, multiplier=2, timeout=patience_s)
        self._sent: dict[int, list[tuple[str, Future]]] = {}
        atexit.register(self._flush_all)

    def publish(self, event: Event) -> None:
        """Put an event in the batch of its topic."""
        self.send(message(event))

    def send(self, sent: Message) -> None:
        """Put a message, which may be one that no event fits, in the batch of its topic."""
        topic = self._publisher.topic_path(self._project, sent.topic)
        with unavailable(f"topic {sent.topic}"):
            future = self._publisher.publish(
                topic, sent.data, retry=self._retry, timeout=self._patience_s, **sent.attributes
            )
        self._sent.setdefault(threading.get_ident(), []).append((sent.topic, future))

    def flush(self) -> None:
        """Wait for Pub/Sub's answer to each message of this thread; raises Unavailable naming the first it refused."""
        self._wait(threading.get_ident())

    def _wait(self, thread: int) -> None:
        failures: list[Unavailable] = []
        for topic, future in self._sent.pop(thread, []):
            try:
                with unavailable(f"topic {topic}"):
                    future.result(timeout=self._patience_s)
            except Unavailable as exc:
                failures.append(exc)
        if failures:
            raise failures[0]

    def _flush_all(self) -> None:
        for thread in list(self._sent):
            try:
                self._wait(thread)
            except Unavailable as exc:
                log.error("events were lost at the end of the process: %s", exc)
