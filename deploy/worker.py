"""Worker: a process of the embedded stack that runs phase functions, several at once where they only wait.

It is what a Cloud Run instance is in the cloud: deliveries come in as Pub/Sub would push them, and are
acknowledged, with what they published, or not.
"""

import base64
import gc
import importlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import BinaryIO, Literal, cast

from cloudevents.http import CloudEvent

from deploy.pushing import Push, identity, send
from deploy.topology import folder
from shared import runtime as runtime_module
from shared.bus import Message, Outbox
from shared.errors import Rejected, Stopped
from shared.run_state import describe
from shared.settings import Settings

MAX_THREADS = 64
COLLECT_EVERY = (500_000, 20, 50)
"""Garbage collector thresholds. Rows are trees and are freed by reference count; looking for cycles among
them at the usual thresholds takes a quarter of a worker's time and finds none."""

WATCH_S = 0.1
BUSY_SHARE = 0.5

log = logging.getLogger("fitsense.worker")

Outcome = Literal["done", "failed", "rejected", "stopped"]
"""Whether to deliver again: only what failed may succeed. The run's state tells of what was stopped."""
PhaseFunction = Callable[[CloudEvent], None]


@dataclass(frozen=True, slots=True)
class Task:
    """A delivery to run."""

    id: int
    function: str
    message: Message
    push: Push | None = None
    """How it goes to a service, where it is not for a function."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a delivery went; what it published counts only where it is done."""

    id: int
    outcome: Outcome
    error: str
    published: tuple[Message, ...]


class Processor:
    """A worker's share of the machine: deliveries that wait for others share it, one that computes has it alone.

    Two threads that compute would only take turns at the interpreter, and lose time at every turn.
    """

    def __init__(self) -> None:
        self._under_way = 0
        self._counting = threading.Lock()
        self._next = threading.Lock()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Wait while what is under way keeps the processor busy, then join it."""
        with self._next:
            while self._under_way and _busy_share(WATCH_S) > BUSY_SHARE:
                pass
            self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._counting:
            self._under_way += change


def _busy_share(seconds: float) -> float:
    """Return how much of the next seconds this process computes, 1 being one core."""
    before = time.process_time()
    time.sleep(seconds)
    return (time.process_time() - before) / seconds


def phase_function(name: str) -> PhaseFunction:
    """Return a phase's function, from functions/<name>/main.py."""
    entry = folder(name)
    return cast(PhaseFunction, getattr(importlib.import_module(f"functions.{entry}.main"), entry))


def serve(
    settings: Settings,
    find: Callable[[str], PhaseFunction],
    tasks: Connection,
    inherited: Iterable[Connection | BinaryIO],
) -> None:
    """Run deliveries until the dispatcher closes the connection or dies; never returns."""
    # Ctrl-C reaches the whole process group; what to do about it is the dispatcher's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.set_threshold(*COLLECT_EVERY)
    for connection in inherited:
        connection.close()
    outgoing = threading.local()
    runtime_module.use(runtime_module.build(settings, Outbox(lambda message: outgoing.messages.append(message))))
    sending = threading.Lock()
    processor = Processor()

    def run(task: Task) -> tuple[Message, ...]:
        outgoing.messages = []
        with processor.shared():
            if task.push is not None:
                send(task.push, task.message, identity(settings, task.push.audience))
            else:
                find(task.function)(push(task.message))
        return tuple(outgoing.messages)

    def report(task: Task, future: "Future[tuple[Message, ...]]") -> None:
        with sending:
            tasks.send(_result(task, future))

    with ThreadPoolExecutor(MAX_THREADS) as threads:
        while True:
            try:
                task: Task = tasks.recv()
            except (EOFError, ConnectionResetError):
                # Work under way is dropped on purpose: artifacts are written whole or not at all.
                os._exit(0)
            threads.submit(run, task).add_done_callback(partial(report, task))


def push(message: Message) -> CloudEvent:
    """Return a message as functions-framework hands a Pub/Sub push to a function."""
    source = f"//pubsub.googleapis.com/projects/local/topics/{message.topic}"
    attributes = {"type": "google.cloud.pubsub.topic.v1.messagePublished", "source": source}
    data = base64.b64encode(message.data).decode()
    return CloudEvent(attributes, {"message": {"data": data, "attributes": message.attributes}})


def _result(task: Task, future: "Future[tuple[Message, ...]]") -> Result:
    exc = future.exception()
    if exc is None:
        return Result(task.id, "done", "", future.result())
    log.error("delivery failed", exc_info=exc, extra={"function": task.function})
    outcome: Outcome = "failed"
    if isinstance(exc, Rejected):
        outcome = "rejected"
    elif isinstance(exc, Stopped):
        outcome = "stopped"
    return Result(task.id, outcome, describe(exc), ())
