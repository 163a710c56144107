"""Mortal: the trainer's job, killed by itself with -9 at a chosen moment, and judged by next to nothing.

    python -m tests.unit.trainer_job.mortal MOMENT OPERATION PATTERN COUNT ARGUMENT ...

MOMENT is before, midway or after; OPERATION one of read, write, delete, publish, local or never; PATTERN matches
the artifact's name, COUNT says which of the matching operations it is. The rest is the trainer's command line.
"""

import dataclasses
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import torch
from trainer_job import __main__ as trainer
from trainer_job.job import Job
from trainer_job.publication import TrainingReceipt
from trainer_job.recipe import Recipe
from transformers import TrainerState

from shared import runtime
from shared.artifacts import ArtifactStore, Writer
from shared.event import Event
from shared.settings import Settings


def die() -> None:
    """End as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


class Moment:
    """When to die."""

    def __init__(self, moment: str, operation: str, pattern: str, count: int) -> None:
        self._when = (moment, operation)
        self._pattern = pattern
        self._left = count

    def comes(self, moment: str, operation: str, name: str) -> bool:
        """Return whether this is it."""
        if (moment, operation) != self._when or not fnmatch(name, self._pattern):
            return False
        self._left -= 1
        return self._left == 0

    def passes(self, moment: str, operation: str, name: str) -> None:
        """Die if this is it."""
        if self.comes(moment, operation, name):
            die()


class MortalStore:
    """A store whose user may die around any operation, and in the middle of writing."""

    def __init__(self, store: ArtifactStore, moment: Moment) -> None:
        self._store = store
        self._moment = moment
        self.exists, self.names, self.uri = store.exists, store.names, store.uri
        self.lines, self.pieces = store.lines, store.pieces

    @contextmanager
    def writer(self, name: str) -> Iterator[Writer]:
        self._moment.passes("before", "write", name)
        with self._store.writer(name) as file:
            yield Halving(file, self._moment.comes("midway", "write", name))
        self._moment.passes("after", "write", name)

    def create(self, name: str, data: bytes, durable: bool = True) -> bool:
        with self.writer(name) as file:
            file.write(data)
        return file.created

    def read(self, name: str) -> bytes:
        self._moment.passes("before", "read", name)
        return self._store.read(name)

    def delete(self, name: str) -> bool:
        self._moment.passes("before", "delete", name)
        return self._store.delete(name)


class Halving:
    """A writer that may die with half of the bytes written."""

    created = True

    def __init__(self, file: Writer, dies: bool) -> None:
        self._file = file
        self._dies = dies

    def write(self, data: bytes) -> None:
        if self._dies:
            self._file.write(data[: len(data) // 2])
            die()
        self._file.write(data)


class MortalBus:
    """A bus that keeps what is published in a file, or dies before."""

    def __init__(self, file: Path, moment: Moment) -> None:
        self._file = file
        self._moment = moment

    def publish(self, event: Event) -> None:
        self._moment.passes("before", "publish", event.topic)
        with self._file.open("ab") as file:
            file.write(event.data() + b"\n")

    def flush(self) -> None:
        """Nothing is held back."""


def die_while_saving(moment: Moment) -> None:
    """Die before the last file of a local checkpoint is written."""
    save = TrainerState.save_to_json

    def mortal(state: TrainerState, path: str) -> None:
        moment.passes("midway", "local", path)
        save(state, path)

    TrainerState.save_to_json = mortal


def judge(job: Job, receipt: TrainingReceipt, adapter: Path) -> None:
    """Judge nothing: evaluation has tests of its own."""
    assert sorted(path.name for path in adapter.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    for name in ("eval_report.html", "model_card.md", "eval_report.json"):
        job.runtime.store.create(f"models/{receipt.version}/{name}", b"{}")


def main() -> int:
    moment, operation, pattern, count, *arguments = sys.argv[1:]
    torch.set_num_threads(1)
    chosen = Moment(moment, operation, pattern, int(count))
    embedded = runtime.build(Settings())
    bus = MortalBus(embedded.settings.out / "published.jsonl", chosen)
    runtime.use(dataclasses.replace(embedded, store=MortalStore(embedded.store, chosen), bus=bus))
    die_while_saving(chosen)

    def job(chosen_arguments: trainer.argparse.Namespace, recipe: Recipe) -> None:
        trainer.perform(chosen_arguments, recipe, judge)

    trainer._job = job
    return trainer.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
