"""Bus: where a process publishes events. Delivery is somebody else's, and at least once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared.events import ConfigDropped, Event


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it travels: a topic, a payload, and string attributes."""

    topic: str
    data: bytes
    attributes: dict[str, str]


def message(event: Event | ConfigDropped) -> Message:
    """Return an event as it travels."""
    return Message(event.topic, event.data(), event.attributes())


class Bus(Protocol):
    """Raises Unavailable where an event could not be handed over; then publish again."""

    def publish(self, event: Event | ConfigDropped) -> None:
        """Hand an event over for delivery to every subscription of its topic."""


class Outbox:
    """A bus that passes messages on to whoever runs this process's work: the embedded dispatcher."""

    def __init__(self, pass_on: Callable[[Message], None]) -> None:
        self._pass_on = pass_on

    def publish(self, event: Event | ConfigDropped) -> None:
        """Pass an event on."""
        self._pass_on(message(event))
