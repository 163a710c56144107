"""Topology: the event graph of deploy/topology.yaml, as a model. Local stacks and Terraform read the same file."""

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from shared.frozen import Frozen

FILE = Path(__file__).with_name("topology.yaml")

KebabName = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$", min_length=3)]
TimeoutS = Annotated[int, Field(ge=10, le=540)]
"""Also the push subscription's ack deadline, which Pub/Sub allows from 10 to 600 s."""
MemoryMb = Annotated[int, Field(ge=128, le=32_768)]


class Backoff(Frozen):
    """Seconds between attempts: doubling from the least to the most."""

    min_backoff_s: Annotated[float, Field(gt=0)]
    max_backoff_s: Annotated[float, Field(gt=0, le=600)]

    @model_validator(mode="after")
    def _least_is_not_above_most(self) -> "Backoff":
        if self.min_backoff_s > self.max_backoff_s:
            raise ValueError(f"min_backoff_s is {self.min_backoff_s:g}, above max_backoff_s, {self.max_backoff_s:g}")
        return self

    def delay_s(self, attempts: int) -> float:
        """Return how long to wait after that many failed attempts."""
        return float(min(self.max_backoff_s, self.min_backoff_s * 2 ** (attempts - 1)))


class Retry(Frozen):
    """What happens to a delivery that is not acknowledged."""

    max_delivery_attempts: Annotated[int, Field(ge=5, le=100)]
    """Pub/Sub allows 5 to 100."""
    cloud: Backoff
    local: Backoff
    emulator_max_delivery_attempts: Annotated[int, Field(ge=5, le=100)]
    """The emulator tries again every second; a function that was killed needs some to come up again."""


class Topic(Frozen):
    """A topic of the pipeline: one event, under the event's name."""

    resumable: bool = False
    """Whether `fitsense resume` makes a lost message again, so that the embedded stack may keep it in memory."""


class Function(Frozen):
    """A phase function: its trigger, what it publishes, and its limits."""

    trigger: KebabName
    publishes: tuple[KebabName, ...]
    timeout_s: TimeoutS
    memory_mb: MemoryMb
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 1
    """Deliveries that one instance works on at once."""
    max_instances: Annotated[int, Field(ge=1, le=1000)] = 5


class Service(Frozen):
    """A service that hears topics: which, and at what path each is pushed to it."""

    subscribes: dict[KebabName, Annotated[str, Field(pattern=r"^/[a-z0-9/_-]+$")]]
    timeout_s: TimeoutS = 60


class Pull(Frozen):
    """A subscription that its subscriber asks for messages."""

    topic: KebabName
    timeout_s: TimeoutS = 60
    """How long a message may be worked on before it is given out again, unless the subscriber asks for longer."""


class DeadLetters(Frozen):
    """The topic of messages that used up their attempts, and the function that keeps them for people to see."""

    topic: KebabName
    function: KebabName
    timeout_s: TimeoutS
    memory_mb: MemoryMb


class Notification(Frozen):
    """What Cloud Storage publishes when an object becomes whole."""

    topic: KebabName
    prefix: str
    """Only objects whose names start with it."""


class Bucket(Frozen):
    """A bucket; its name on a stack is a setting."""

    versioning: bool = False
    notification: Notification | None = None


class Buckets(Frozen):
    """The two buckets: what phases write, and what people drop."""

    artifacts: Bucket
    configs: Bucket


class Edge(Frozen):
    """A subscription: which function hears a topic."""

    topic: str
    function: str


class ServiceEdge(Frozen):
    """A subscription: which service hears a topic, and where."""

    topic: str
    service: str
    path: str


class Topology(Frozen):
    """The event graph."""

    retry: Retry
    topics: dict[KebabName, Topic]
    functions: dict[KebabName, Function]
    services: dict[KebabName, Service] = Field(default_factory=dict)
    pulls: dict[KebabName, Pull] = Field(default_factory=dict)
    dead_letters: DeadLetters
    buckets: Buckets

    @model_validator(mode="after")
    def _every_topic_named_is_there(self) -> "Topology":
        named = [(f"functions.{name}", one.trigger) for name, one in self.functions.items()]
        named += [(f"functions.{name}", topic) for name, one in self.functions.items() for topic in one.publishes]
        named += [(f"services.{name}", topic) for name, one in self.services.items() for topic in one.subscribes]
        named += [(f"pulls.{name}", one.topic) for name, one in self.pulls.items()]
        for name, bucket in (("artifacts", self.buckets.artifacts), ("configs", self.buckets.configs)):
            if bucket.notification is not None:
                named.append((f"buckets.{name}.notification", bucket.notification.topic))
        for place, topic in named:
            if topic not in self.topics:
                raise ValueError(f"{place} names topic {topic!r}, which topics does not list")
        return self

    @model_validator(mode="after")
    def _only_functions_hear_what_is_in_memory(self) -> "Topology":
        heard = [topic for service in self.services.values() for topic in service.subscribes]
        heard += [pull.topic for pull in self.pulls.values()]
        if lost := sorted(topic for topic in heard if self.topics[topic].resumable):
            raise ValueError(f"topics.{lost[0]} is resumable, which only functions may hear")
        return self

    @model_validator(mode="after")
    def _subscribers_have_names_of_their_own(self) -> "Topology":
        names = [*self.functions, *self.services, *self.pulls]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands in more than one of functions, services and pulls")
        return self

    @model_validator(mode="after")
    def _dead_letters_stand_apart(self) -> "Topology":
        if self.dead_letters.topic in self.topics:
            raise ValueError(
                f"dead_letters.topic is {self.dead_letters.topic!r}, a topic of the pipeline; a dead letter must not "
                "be taken for an event"
            )
        if self.dead_letters.function in self.functions:
            raise ValueError(f"dead_letters.function is {self.dead_letters.function!r}, which functions lists too")
        return self

    def edges(self) -> dict[str, Edge]:
        """Return the pipeline's subscriptions by id: `<topic>--<function>`. Each has the dead-letter topic."""
        return {
            subscription_id(function.trigger, name): Edge(topic=function.trigger, function=name)
            for name, function in self.functions.items()
        }

    def service_edges(self) -> dict[str, ServiceEdge]:
        """Return the services' subscriptions by id. Each has the dead-letter topic."""
        return {
            subscription_id(topic, name): ServiceEdge(topic=topic, service=name, path=path)
            for name, service in self.services.items()
            for topic, path in service.subscribes.items()
        }

    def pull_edges(self) -> dict[str, Pull]:
        """Return the subscriptions that their subscribers ask, by id. Each has the dead-letter topic."""
        return {subscription_id(pull.topic, name): pull for name, pull in self.pulls.items()}

    def dead_letter_edge(self) -> Edge:
        """Return the subscription of the dead-letter topic, which has no dead-letter topic itself."""
        return Edge(topic=self.dead_letters.topic, function=self.dead_letters.function)

    def pipeline(self) -> tuple[str, ...]:
        """Return the functions of a run: those that make the events that resuming the run makes again."""
        return tuple(
            name
            for name, function in self.functions.items()
            if any(self.topics[topic].resumable for topic in function.publishes)
        )

    def deployed(self) -> dict[str, Function]:
        """Return every function that runs somewhere: the pipeline's, and the one that hears dead letters."""
        letters = self.dead_letters
        hearing = Function(
            trigger=letters.topic, publishes=(), timeout_s=letters.timeout_s, memory_mb=letters.memory_mb
        )
        return self.functions | {letters.function: hearing}


def subscription_id(topic: str, subscriber: str) -> str:
    """Return the id of a subscriber's subscription to a topic."""
    return f"{topic}--{subscriber}"


def folder(function: str) -> str:
    """Return the folder below functions/ that holds a function, which is also the name of its entry point."""
    return function.replace("-", "_")


@cache
def topology() -> Topology:
    """Return the project's event graph."""
    return Topology.model_validate(yaml.safe_load(FILE.read_text()))
