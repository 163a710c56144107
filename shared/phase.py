"""Phase: what every phase function does around its work. Idempotency lives here, and nowhere else.

    decode the event ─► create the artifact unless it exists ─► publish the event that follows

Delivery is at least once, and the artifact is the receipt: its path is a function of run, phase and
shard. A redelivery finds it, skips the work, and publishes the same next event again, because the
first attempt may have died between the two. So `make` must be deterministic, or its result must not
matter on a retry.
"""

import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar, cast

from cloudevents.http import CloudEvent
from pydantic import BaseModel

from shared import paths, run_state
from shared.artifacts import ArtifactStore, write_lines
from shared.documents import Documents
from shared.errors import Stopped
from shared.event import Event
from shared.events import OfARun, ShardEvent
from shared.frozen import Frozen, json_line
from shared.log import log_context
from shared.push import message_in, push_function
from shared.run_config import RunConfig, RunFile
from shared.runtime import Runtime, runtime

log = logging.getLogger("fitsense.phase")

E = TypeVar("E", bound=OfARun)
In = TypeVar("In", bound=OfARun, contravariant=True)
Heard = TypeVar("Heard", bound=Event)
HeardIn = TypeVar("HeardIn", bound=Event, contravariant=True)
M = TypeVar("M", bound=BaseModel)
Following = Event | Iterable[Event] | None


class Work(Protocol[In]):
    """A phase's own part: an event and its run in, the event or events that follow out."""

    __name__: str

    def __call__(self, event: In, run: "Run", /) -> Following:
        """Do the phase's work, or find it done."""


class Listens(Protocol[HeardIn]):
    """The own part of a function that works on no run: an event and the stack in, the events that follow out."""

    __name__: str

    def __call__(self, event: HeardIn, around: Runtime, /) -> Following:
        """Do the work, or find it done."""


class Run:
    """A run, as a phase sees it: its config, its artifacts, its progress."""

    def __init__(self, run_id: str, around: Runtime, delivery: run_state.Delivery) -> None:
        self.run_id = run_id
        self.runtime = around
        self.progress = delivery.progress

    @property
    def store(self) -> ArtifactStore:
        """The artifact store."""
        return self.runtime.store

    @property
    def documents(self) -> Documents:
        """The document store."""
        return self.runtime.documents

    @functools.cached_property
    def file(self) -> RunFile:
        """What intake resolved: config, code version."""
        return self.read_document(paths.run_file(self.run_id, "run.json"), RunFile)

    @property
    def config(self) -> RunConfig:
        """The run's config."""
        return self.file.config

    def create_once(self, name: str, make: Callable[[], Iterable[Frozen]]) -> str:
        """Create an artifact of one model a line, unless it exists; returns its URI."""
        if not self.store.exists(name):
            write_lines(self.store, name, map(json_line, self.count(make())))
        return self.store.uri(name)

    def create_document(self, name: str, make: Callable[[], BaseModel]) -> str:
        """Create an artifact that is one indented JSON object, unless it exists; returns its URI."""
        if not self.store.exists(name):
            self.store.create(name, make().model_dump_json(indent=2).encode() + b"\n")
        return self.store.uri(name)

    def create_bytes(self, name: str, make: Callable[[], bytes]) -> str:
        """Create an artifact that is made in one piece, unless it exists; returns its URI."""
        if not self.store.exists(name):
            self.store.create(name, make())
        return self.store.uri(name)

    def read(self, name: str, model: type[M]) -> Iterator[M]:
        """Yield the models of an artifact, one a line."""
        return (model.model_validate_json(line) for line in self.store.lines(name))

    def read_document(self, name: str, model: type[M]) -> M:
        """Return the model of an artifact that is one JSON object."""
        return model.model_validate_json(self.store.read(name))

    def read_shards(self, phase: str, model: type[M]) -> Iterator[M]:
        """Yield the models of a phase's shards in the order of users, however they were sharded."""
        return (model.model_validate_json(line) for line in self.shard_lines(phase))

    def shard_lines(self, phase: str) -> Iterator[bytes]:
        """Yield the lines of a phase's shards in the order of users, however they were sharded."""
        for shard in range(self.config.shards):
            yield from self.store.lines(paths.shard_file(self.run_id, phase, shard))

    def users(self, event: ShardEvent) -> range:
        """Return the numbers of the users in an event's shard: contiguous, so that shards concatenate."""
        users = self.config.users
        return range(users * event.shard // event.shards, users * (event.shard + 1) // event.shards)

    def count(self, items: Iterable[M]) -> Iterator[M]:
        """Yield the items, telling the run's state how many have passed."""
        for number, item in enumerate(items, 1):
            yield item
            self.progress(number)

    def finish(self, status: run_state.RunStatus, reasons: tuple[str, ...]) -> None:
        """Note how the run ended."""
        run_state.finish(self.documents, self.run_id, status, reasons)

    def joined(self, names: Iterable[str], event: Event) -> Event | None:
        """Return the join event if a set of artifacts is whole, else None.

        Whoever finishes last finds it whole; two may, which is harmless.
        """
        return event if all(self.store.exists(name) for name in names) else None


def phase(event_type: type[E]) -> Callable[[Work[E]], Callable[[CloudEvent], None]]:
    """Make a phase function of a phase's work: decode, work, publish; state, lease and log kept around it.

    Whatever the work raises goes on to the caller, so that the delivery is not acknowledged.
    """

    def around(work: Work[E]) -> Callable[[CloudEvent], None]:
        @push_function
        @functools.wraps(work)
        def deliver(cloud_event: CloudEvent) -> None:
            message = message_in(cloud_event)
            with log_context(phase=work.__name__):
                if event_type.concerns(message.attributes):
                    _deliver(cast(E, event_type.from_message(message.data, message.attributes)), work)
                else:
                    log.info("ignored", extra=message.attributes)

        return deliver

    return around


def hearing(event_type: type[Heard]) -> Callable[[Listens[Heard]], Callable[[CloudEvent], None]]:
    """Make a function of work that belongs to no run, so that no run's state and no lease is kept around it."""

    def around(work: Listens[Heard]) -> Callable[[CloudEvent], None]:
        @push_function
        @functools.wraps(work)
        def deliver(cloud_event: CloudEvent) -> None:
            message = message_in(cloud_event)
            with log_context(phase=work.__name__):
                event = event_type.from_message(message.data, message.attributes)
                for following in _as_events(work(event, runtime())):
                    runtime().bus.publish(following)
                runtime().bus.flush()

        return deliver

    return around


def _deliver(event: E, work: Work[E]) -> None:
    around = runtime()
    key = run_state.delivery_key(work.__name__, event)
    with log_context(run_id=event.run_id, trace=_trace(event)):
        log.info("begin", extra={"delivery": key})
        began = time.perf_counter()
        with around.lease.held(f"{event.run_id}/{key}"):
            _work(event, work, around, key)
        log.info("end", extra={"delivery": key, "seconds": round(time.perf_counter() - began, 4)})


def _work(event: E, work: Work[E], around: Runtime, key: str) -> None:
    try:
        with run_state.Delivery(around.documents, event.run_id, key) as delivery:
            for following in _as_events(work(event, Run(event.run_id, around, delivery))):
                around.bus.publish(following)
            around.bus.flush()
    except Stopped as exc:
        run_state.break_off(around.documents, event.run_id, "stopped", str(exc))
        raise


def _trace(event: OfARun) -> str:
    return event.attributes().get("traceparent", "--").split("-")[1]


def _as_events(following: Following) -> Iterable[Event]:
    if following is None:
        return ()
    return (following,) if isinstance(following, Event) else following
