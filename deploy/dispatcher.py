"""Dispatcher: the embedded stack's event bus. At-least-once delivery to a pool of worker processes.

What Pub/Sub and Cloud Run do in the cloud, in one process: every subscription of a topic gets each
message; a delivery that fails is tried again with backoff, one that cannot succeed becomes a dead
letter; a worker that dies is replaced, and what it worked on is delivered again. Messages live in
memory: after a kill -9 of this process, `fitsense resume` sends a run's first event again, and the
artifacts say what is left to do.
"""

import gc
import heapq
import itertools
import logging
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from deploy.topology import Topology
from deploy.worker import PhaseFunction, Result, Task, phase_function, serve
from shared.bus import Message
from shared.dead_letters import DeadLetter, bury, drop
from shared.documents import Documents
from shared.settings import Settings

TICK_S = 0.1
DOUBLE_UP_AFTER_S = 2.0
"""How long a delivery waits for an idle worker before it joins others of its function on a busy one."""

log = logging.getLogger("fitsense.dispatcher")


@dataclass(slots=True)
class Delivery:
    """A message on its way to one function."""

    message: Message
    function: str
    attempts: int = 0
    letter: str | None = None
    """The dead letter that this is a replay of; it is dropped once the replay succeeds."""
    ready_at: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Worker:
    """A worker process, this end of its pipe, and what it is working on."""

    process: ForkProcess
    connection: Connection
    deliveries: dict[int, Delivery] = field(default_factory=dict)


class Dispatcher:
    """Delivers messages to phase functions. Use `running()` to get one whose workers are up."""

    def __init__(
        self,
        topology: Topology,
        settings: Settings,
        documents: Documents,
        workers: int,
        find: Callable[[str], PhaseFunction] = phase_function,
    ) -> None:
        self._find = find
        self._topology = topology
        self._settings = settings
        self._documents = documents
        self._size = workers
        self._workers: list[Worker] = []
        self._ready: deque[Delivery] = deque()
        self._later: list[tuple[float, int, Delivery]] = []
        self._ids = itertools.count()

    def publish(self, message: Message) -> None:
        """Deliver a message to every subscription of its topic."""
        for edge in self._topology.edges().values():
            if edge.topic == message.topic:
                self._ready.append(Delivery(message, edge.function))

    def replay(self, letter: DeadLetter) -> None:
        """Deliver a dead letter once more, to the one function that could not take it."""
        self._ready.append(Delivery(letter.message(), letter.function, letter=letter.id))

    def run_until_idle(self, tick: Callable[[], None]) -> None:
        """Deliver until nothing is left to deliver; calls `tick` about every TICK_S."""
        next_tick = time.monotonic()
        while self._busy():
            self._hand_out()
            self._collect(min(TICK_S, self._until_next_retry_s()))
            if time.monotonic() >= next_tick:
                tick()
                next_tick = time.monotonic() + TICK_S

    @contextmanager
    def running(self) -> Iterator["Dispatcher"]:
        """Start the workers; at the end, whichever way it came, stop them."""
        for name in self._topology.functions:
            self._find(name)  # imported before the fork, so that workers share the memory
        gc.freeze()  # and nobody's collector looks through what was imported, which would also copy it
        self._workers = [self._start() for _ in range(self._size)]
        try:
            yield self
        finally:
            for worker in self._workers:
                worker.connection.close()
            for worker in self._workers:
                worker.process.join(5)
                worker.process.kill()
                worker.process.join()

    def _start(self) -> Worker:
        here, there = multiprocessing.Pipe()
        # Ends that a worker inherits but does not use would keep its siblings from seeing this process die.
        inherited = [here, *(worker.connection for worker in self._workers)]
        context = multiprocessing.get_context("fork")
        process = context.Process(target=serve, args=(self._settings, self._find, there, inherited), daemon=True)
        process.start()
        there.close()
        return Worker(process, here)

    def _busy(self) -> bool:
        return bool(self._ready or self._later or any(worker.deliveries for worker in self._workers))

    def _until_next_retry_s(self) -> float:
        return max(0.0, self._later[0][0] - time.monotonic()) if self._later else TICK_S

    def _hand_out(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            self._ready.append(heapq.heappop(self._later)[2])
        for _ in range(len(self._ready)):
            delivery = self._ready.popleft()
            worker = self._worker_for(delivery)
            if worker is None:
                self._ready.append(delivery)
            else:
                self._send(worker, delivery)

    def _worker_for(self, delivery: Delivery) -> Worker | None:
        """Return an idle worker or, after a while, one that works on this function and takes more of it at once.

        A delivery that computes is better off waiting; one that itself waits for others loses nothing by it.
        """
        limit = self._topology.functions[delivery.function].concurrency
        patient = time.monotonic() - delivery.ready_at < DOUBLE_UP_AFTER_S
        for worker in sorted(self._workers, key=lambda worker: len(worker.deliveries)):
            under_way = worker.deliveries.values()
            same = all(other.function == delivery.function for other in under_way)
            if not under_way or (same and len(under_way) < limit and not patient):
                return worker
        return None

    def _send(self, worker: Worker, delivery: Delivery) -> None:
        number = next(self._ids)
        delivery.attempts += 1
        worker.deliveries[number] = delivery
        try:
            worker.connection.send(Task(number, delivery.function, delivery.message))
        except (BrokenPipeError, ConnectionResetError):
            self._replace(worker)

    def _collect(self, timeout_s: float) -> None:
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection), timeout_s):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                self._settle(worker, worker.connection.recv())
            except (EOFError, ConnectionResetError):
                self._replace(worker)

    def _settle(self, worker: Worker, result: Result) -> None:
        delivery = worker.deliveries.pop(result.id)
        if result.outcome == "done":
            if delivery.letter is not None:
                drop(self._documents, delivery.letter)
            for message in result.published:
                self.publish(message)
        elif result.outcome == "failed":
            self._try_again(delivery, result.error)
        elif result.outcome == "rejected":
            self._give_up(delivery, result.error)

    def _replace(self, worker: Worker) -> None:
        worker.process.join()
        worker.connection.close()
        self._workers.remove(worker)
        self._workers.append(self._start())
        for delivery in worker.deliveries.values():
            log.warning("worker died", extra={"function": delivery.function, "exit": worker.process.exitcode})
            self._try_again(delivery, f"the worker process died (exit code {worker.process.exitcode})")

    def _try_again(self, delivery: Delivery, error: str) -> None:
        if delivery.attempts >= self._topology.retry.max_delivery_attempts:
            self._give_up(delivery, error)
            return
        due = time.monotonic() + self._topology.retry.local.delay_s(delivery.attempts)
        heapq.heappush(self._later, (due, next(self._ids), delivery))

    def _give_up(self, delivery: Delivery, error: str) -> None:
        letter = DeadLetter.of(delivery.message, delivery.function, delivery.attempts, error)
        bury(self._documents, letter)
        log.error("dead letter", extra={"function": delivery.function, "error": error})
