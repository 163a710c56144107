"""Side by side: work for several models at once, where there are cores for it.

On a GPU, or one core, what is begun is done when its result is asked for. On a CPU it is done by a process of its
own, so that small models, which gain little from a second thread, use the second core.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

import torch

from trainer_job.hardware import hardware

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Begin(Protocol):
    """Begins some work, and returns what waits for its result, or raises what it raised."""

    def __call__(self, work: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs) -> Callable[[], _T]: ...


@contextmanager
def side_by_side(works: int) -> Iterator[Begin]:
    """Share the cores among so many works, one of them the caller's; ends whatever is not finished.

    Where `works` is 1, what is begun is done when its result is asked for.
    """
    cores = len(os.sched_getaffinity(0))
    if works == 1 or hardware().gpu or cores < works:
        yield _later
        return
    threads, before = cores // works, torch.get_num_threads()
    torch.set_num_threads(threads)
    # Not forked: threads of PyTorch would be lost in the copy, with their locks held.
    with multiprocessing.get_context("spawn").Pool(works - 1, torch.set_num_threads, (threads,)) as pool:

        def begin(work: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs) -> Callable[[], _T]:
            return pool.apply_async(work, arguments, named).get

        try:
            yield begin
        finally:
            torch.set_num_threads(before)


def _later(work: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs) -> Callable[[], _T]:
    return lambda: work(*arguments, **named)
