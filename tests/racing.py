"""Racing: the same work begun at once by many threads, or by many processes that share only what they are told."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

START_S = 60
LOADED = [
    "hypothesis.stateful",
    "pytest",
    "shared.gcp.artifacts",
    "shared.gcp.bus",
    "shared.gcp.documents",
    "shared.gcp.inbox",
]
"""What a test's process would spend seconds on, loaded once: in the process that they are forked from."""

_starts: list[Barrier] = []


def in_threads(count: int, work: Callable[[int], T]) -> list[T]:
    """Return what each of some threads found; raises what one of them raised."""
    start = threading.Barrier(count, timeout=START_S)

    def race(number: int) -> T:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(race, range(count)))


def in_processes(
    count: int, work: Callable[Concatenate[int, Barrier, P], T], *arguments: P.args, **named: P.kwargs
) -> list[T]:
    """Return what each of some processes found, which pass the barrier when they are ready; raises as they raised."""
    start = context().Barrier(count, timeout=START_S)
    with ProcessPoolExecutor(count, context(), _share, (start,)) as processes:
        found = [processes.submit(_race, work, number, arguments, named) for number in range(count)]
        return [one.result() for one in found]


def begun(work: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> BaseProcess:
    """Return a process at work, to be watched or killed."""
    process = context().Process(target=work, args=arguments, kwargs=named)
    process.start()
    return process


def context() -> ForkServerContext:
    """Return how processes are made: forked from one that has made no client of Google's, which would not survive."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(LOADED)
    return forking


def _share(start: Barrier) -> None:
    _starts.append(start)


def _race(work: Callable[..., T], number: int, arguments: tuple[object, ...], named: dict[str, object]) -> T:
    return work(number, _starts[0], *arguments, **named)
