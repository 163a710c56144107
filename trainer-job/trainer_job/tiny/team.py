"""Team: processes that add up the gradients of a step, each of its own parts of it, a thread each.

Small matrices gain little from a second thread, and nearly all from a second process. Sums are of the same numbers
whoever makes them, so that weights do not depend on how many there are.
"""

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from transformers import PreTrainedModel

_PATIENCE: Final = timedelta(minutes=10)
"""How long one waits for another, which may have to import PyTorch first, on a busy machine."""
_W = TypeVar("_W")


@dataclass(frozen=True, slots=True)
class Adding:
    """One of a team."""

    place: int
    processes: int

    def up(self, network: PreTrainedModel, losses: Sequence[Callable[[], Tensor]], over: int) -> float:
        """Have a network hold the gradients of all losses, divided by a number; returns their sum."""
        total = torch.zeros(1)
        for loss in losses[self.place :: self.processes]:
            value = loss() / over
            value.backward()
            total += value.detach()
        if self.processes > 1:
            self._share(network, total)
        return total.item()

    def _share(self, network: PreTrainedModel, total: Tensor) -> None:
        gradients = [
            weights.grad if weights.grad is not None else torch.zeros_like(weights) for weights in network.parameters()
        ]
        everything = torch.cat([total, *(one.flatten() for one in gradients)])
        dist.all_reduce(everything)
        first, *rest = everything.split([1, *(one.numel() for one in gradients)])
        total.copy_(first)
        for weights, whole in zip(network.parameters(), rest, strict=True):
            weights.grad = whole.view_as(weights).clone()


@contextmanager
def team(processes: int, beside: Callable[[_W, Adding], None], work: _W) -> Iterator[Adding]:
    """Give out this process's place in a team, whose others run `beside` on the same work; they end with it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if processes == 1:
            yield Adding(0, 1)
            return
        with tempfile.TemporaryDirectory() as folder:
            meeting = Path(folder) / "meeting"
            begin = multiprocessing.get_context("spawn").Process
            others = [
                begin(target=_join, args=(place, processes, meeting, beside, work), daemon=True)
                for place in range(1, processes)
            ]
            for other in others:
                other.start()
            try:
                with _met(0, processes, meeting):
                    yield Adding(0, processes)
            finally:
                for other in others:
                    other.terminate()
                    other.join()
    finally:
        torch.set_num_threads(threads)


def _join(place: int, processes: int, meeting: Path, beside: Callable[[_W, Adding], None], work: _W) -> None:
    torch.set_num_threads(1)
    with _met(place, processes, meeting):
        beside(work, Adding(place, processes))


@contextmanager
def _met(place: int, processes: int, meeting: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=meeting.as_uri(), rank=place, world_size=processes, timeout=_PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()
