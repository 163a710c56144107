"""Topology: the event graph of deploy/topology.yaml, as a model. Local stacks and Terraform read the same file."""

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from shared.frozen import Frozen

FILE = Path(__file__).with_name("topology.yaml")

KebabName = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$", min_length=3)]


class Backoff(Frozen):
    """Seconds between attempts: doubling from the least to the most."""

    min_backoff_s: Annotated[float, Field(gt=0)]
    max_backoff_s: Annotated[float, Field(gt=0, le=600)]

    def delay_s(self, attempts: int) -> float:
        """Return how long to wait after that many failed attempts."""
        return float(min(self.max_backoff_s, self.min_backoff_s * 2 ** (attempts - 1)))


class Retry(Frozen):
    """What happens to a delivery that is not acknowledged."""

    max_delivery_attempts: Annotated[int, Field(ge=5, le=100)]
    """Pub/Sub allows 5 to 100."""
    cloud: Backoff
    local: Backoff


class Topic(Frozen):
    """A topic; its dead-letter topic is `<name>-dead`."""


class Function(Frozen):
    """A phase function: its trigger, what it publishes, and its limits."""

    trigger: KebabName
    publishes: tuple[KebabName, ...]
    timeout_s: Annotated[int, Field(ge=10, le=540)]
    """Also the push subscription's ack deadline, which Pub/Sub caps at 600 s."""
    memory_mb: Annotated[int, Field(ge=128, le=32_768)]
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 1
    """Deliveries that one instance works on at once."""
    max_instances: Annotated[int, Field(ge=1, le=1000)] = 5


class Edge(Frozen):
    """A subscription: which function hears a topic."""

    topic: str
    function: str


class Topology(Frozen):
    """The event graph."""

    retry: Retry
    topics: dict[KebabName, Topic]
    functions: dict[KebabName, Function]

    @model_validator(mode="after")
    def _every_topic_named_is_there(self) -> "Topology":
        for name, function in self.functions.items():
            for topic in (function.trigger, *function.publishes):
                if topic not in self.topics:
                    raise ValueError(f"functions.{name} names topic {topic!r}, which topics does not list")
        return self

    def edges(self) -> dict[str, Edge]:
        """Return the subscriptions by id: `<topic>--<function>`."""
        return {
            f"{function.trigger}--{name}": Edge(topic=function.trigger, function=name)
            for name, function in self.functions.items()
        }


@cache
def topology() -> Topology:
    """Return the project's event graph."""
    return Topology.model_validate(yaml.safe_load(FILE.read_text()))
