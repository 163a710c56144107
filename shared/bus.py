"""Bus: where a process publishes events. Delivery is somebody else's, and at least once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared.errors import Rejected
from shared.event import Event
from shared.events import EVENTS


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it travels: a topic, a payload, and string attributes."""

    topic: str
    data: bytes
    attributes: dict[str, str]


def message(event: Event) -> Message:
    """Return an event as it travels."""
    return Message(event.topic, event.data(), event.attributes())


def event_in(message: Message) -> Event:
    """Return the event that a message carries; raises Rejected saying what is wrong with it."""
    for event in EVENTS:
        if event.topic == message.topic:
            return event.from_message(message.data, message.attributes)
    raise Rejected(f"no event travels on topic {message.topic!r}")


class Bus(Protocol):
    """Raises Unavailable where an event could not be handed over; then publish again."""

    def publish(self, event: Event) -> None:
        """Take an event for delivery to every subscription of its topic; `flush` says when it is handed over."""

    def flush(self) -> None:
        """Return once everything that this thread has published is handed over."""


class Outbox:
    """A bus that passes messages on to whoever runs this process's work: the embedded dispatcher."""

    def __init__(self, pass_on: Callable[[Message], None]) -> None:
        self._pass_on = pass_on

    def publish(self, event: Event) -> None:
        """Pass an event on."""
        self._pass_on(message(event))

    def flush(self) -> None:
        """Return at once: passing on is handing over."""
