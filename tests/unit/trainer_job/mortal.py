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
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

import torch
from trainer_job import __main__ as trainer
from trainer_job.job import Job
from trainer_job.recipe import Recipe
from transformers import TrainerState

from shared import runtime
from shared.artifacts import ArtifactStore, Writer
from shared.eval_report import EvalReport, Group, ModelReport, ModeReport
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


def judge(job: Job, version: str, adapter: Path) -> None:
    """Judge nothing: evaluation has tests of its own."""
    assert sorted(path.name for path in adapter.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    nothing = ModeReport(
        overall=Group(slices={}, n=0, rates={}),
        by_suite={},
        by_type={},
        by_intent={},
        slices=(),
        pairs=(),
        rejections={},
        safety=None,
        variety=None,
        tokens=None,
        latency_ms=None,
    )
    report = EvalReport(
        version=version,
        base_model="toy",
        served_version=None,
        dataset_run_id=job.run_id,
        seed=1,
        as_of=date(2026, 1, 2),
        min_slice_size=30,
        prompts={},
        held_out_loss=None,
        modes={"free": nothing},
        speed=None,
        base=None,
        served=None,
        teacher=ModelReport(name="rule-based-coach", held_out_loss=None, modes={}, speed=None),
        comparisons=(),
        loss_comparisons=(),
        examples=(),
    )
    job.runtime.store.create(f"models/{version}/eval_report.html", b"<html>")
    job.runtime.store.create(f"models/{version}/eval_report.json", report.model_dump_json().encode())


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
