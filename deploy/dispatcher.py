"""Dispatcher: the embedded stack's event bus. At-least-once delivery to a pool of worker processes.

What Pub/Sub and Cloud Run do in the cloud, in one process: every subscription of a topic gets each
message; a delivery that fails is tried again with backoff, one that cannot succeed becomes a dead
letter; a worker that dies is replaced, and what it worked on is delivered again. Messages lie in the
spool until they are delivered, whoever published them, so a kill -9 of this process loses none. Only
those of resumable topics live in memory: `fitsense resume` sends a run's first event again, and the
artifacts say what is left to do.
"""

import gc
import heapq
import itertools
import logging
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from deploy.pushing import Push
from deploy.queues import Queues, done
from deploy.topology import Topology, subscription_id
from deploy.worker import PhaseFunction, Result, Task, phase_function, serve
from shared.bus import Message
from shared.dead_letters import DeadLetter, bury, drop
from shared.documents import Documents
from shared.settings import Settings
from shared.spool import Kept, Spool

TICK_S = 0.1
PUSHES_AT_ONCE = 16
"""Deliveries to services that are under way together; they have a worker of their own, which only waits."""
DOUBLE_UP_AFTER_S = 2.0
"""How long a delivery waits for an idle worker before it joins others of its function on a busy one."""

log = logging.getLogger("fitsense.dispatcher")


@dataclass(slots=True)
class Delivery:
    """A message on its way to one function or service."""

    message: Message
    function: str
    """Or the service, which no function has the name of."""
    kept: Kept | None = None
    """Where the message lies in the spool until this is settled."""
    attempts: int = 0
    letter: str | None = None
    """The dead letter that this is a replay of; it is dropped once the replay succeeds."""
    ready_at: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Worker:
    """A worker process, this end of its pipe, and what it is working on."""

    process: ForkProcess
    connection: Connection
    pushes: bool
    """Whether it is the one that delivers to services."""
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
        services: Mapping[str, str] | None = None,
    ) -> None:
        self._find = find
        self._topology = topology
        self._settings = settings
        self._documents = documents
        self._size = workers
        self._services = services or {}
        """The URLs of the services that run here; messages for others wait in the spool."""
        spool = Spool(settings.out.absolute() / "bus")
        self._queues = Queues(spool, topology, {*topology.functions, *self._services})
        self._workers: list[Worker] = []
        self._ready: deque[Delivery] = deque()
        self._later: list[tuple[float, int, Delivery]] = []
        self._ids = itertools.count()

    def publish(self, message: Message) -> None:
        """Deliver a message to every subscription of its topic."""
        topic = self._topology.topics.get(message.topic)
        if topic is None or not topic.resumable:
            self._queues.put(message)
            return
        for edge in self._topology.edges().values():
            if edge.topic == message.topic:
                self._ready.append(Delivery(message, edge.function))

    def replay(self, letter: DeadLetter) -> None:
        """Deliver a dead letter once more, to the one function or service that could not take it, if it is here."""
        if letter.function in self._services or letter.function in self._topology.functions:
            self._ready.append(Delivery(letter.message(), letter.function, letter=letter.id))

    def run_until_idle(self, tick: Callable[[], None]) -> None:
        """Deliver until nothing is left to deliver; calls `tick` about every TICK_S."""
        self.run_until(lambda: not self._busy(), tick)

    def run_until(self, over: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Deliver until something has come to be; calls `tick` about every TICK_S."""
        next_tick = time.monotonic()
        self._take()
        while not over():
            self._take()
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
        self._workers = [self._start(pushes=False) for _ in range(self._size)]
        if self._services:
            self._workers.append(self._start(pushes=True))
        try:
            yield self
        finally:
            self._queues.release()
            for worker in self._workers:
                worker.connection.close()
            for worker in self._workers:
                worker.process.join(5)
                worker.process.kill()
                worker.process.join()

    def _start(self, pushes: bool) -> Worker:
        here, there = multiprocessing.Pipe()
        # Ends that a worker inherits but does not use would keep its siblings from seeing this process die,
        # and the lock of a dead process would go on being held.
        inherited = [here, *(worker.connection for worker in self._workers), *self._queues.held()]
        context = multiprocessing.get_context("fork")
        process = context.Process(target=serve, args=(self._settings, self._find, there, inherited), daemon=True)
        process.start()
        there.close()
        return Worker(process, here, pushes)

    def _busy(self) -> bool:
        under_way = self._ready or self._later or any(worker.deliveries for worker in self._workers)
        return bool(under_way) or not self._queues.is_empty()

    def _take(self) -> None:
        """Take what other processes, or deliveries, have put in the spool."""
        for subscriber, kept in self._queues.take():
            self._ready.append(Delivery(kept.message, subscriber, kept))

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
        if delivery.function in self._services:
            return next((one for one in self._workers if one.pushes and len(one.deliveries) < PUSHES_AT_ONCE), None)
        limit = self._topology.functions[delivery.function].concurrency
        patient = time.monotonic() - delivery.ready_at < DOUBLE_UP_AFTER_S
        for worker in sorted(
            (one for one in self._workers if not one.pushes), key=lambda worker: len(worker.deliveries)
        ):
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
            worker.connection.send(Task(number, delivery.function, delivery.message, self._push(delivery)))
        except (BrokenPipeError, ConnectionResetError):
            self._replace(worker)

    def _push(self, delivery: Delivery) -> Push | None:
        """Return how a message goes to a service; None for a function."""
        if delivery.function not in self._services:
            return None
        service, topic, kept = self._topology.services[delivery.function], delivery.message.topic, delivery.kept
        return Push(
            url=self._services[delivery.function] + service.subscribes[topic],
            audience=delivery.function,
            subscription=subscription_id(topic, delivery.function),
            message_id=kept.id if kept else delivery.letter or "",
            published_s=kept.published_s if kept else time.time(),
            timeout_s=service.timeout_s,
        )

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
            self._settled(delivery)
        elif result.outcome == "failed":
            self._try_again(delivery, result.error)
        elif result.outcome == "rejected":
            self._give_up(delivery, result.error)
        else:
            self._settled(delivery)

    def _replace(self, worker: Worker) -> None:
        worker.process.join()
        worker.connection.close()
        self._workers.remove(worker)
        self._workers.append(self._start(worker.pushes))
        for delivery in worker.deliveries.values():
            log.warning("worker died", extra={"function": delivery.function, "exit": worker.process.exitcode})
            self._try_again(delivery, f"the worker process died (exit code {worker.process.exitcode})")

    def _try_again(self, delivery: Delivery, error: str) -> None:
        retry = self._topology.retry
        # A service that was killed needs some time to come up again; a function is always there.
        is_service = delivery.function in self._services
        if delivery.attempts >= (retry.emulator_max_delivery_attempts if is_service else retry.max_delivery_attempts):
            self._give_up(delivery, error)
            return
        due = time.monotonic() + retry.local.delay_s(delivery.attempts)
        heapq.heappush(self._later, (due, next(self._ids), delivery))

    def _give_up(self, delivery: Delivery, error: str) -> None:
        letter = DeadLetter.of(delivery.message, delivery.function, delivery.attempts, error)
        bury(self._documents, letter)
        self._settled(delivery)
        log.error("dead letter", extra={"function": delivery.function, "error": error})

    @staticmethod
    def _settled(delivery: Delivery) -> None:
        if delivery.kept is not None:
            done(delivery.kept)
