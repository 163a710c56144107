"""Emulated: runs on a stack of Google's emulators that a test has started, and what they leave in its buckets."""

import hashlib
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.stack import LocalStack, local_stack
from deploy.topology import Topology
from shared import run_state
from shared.dead_letters import DeadLetter, letters
from shared.errors import NotFound
from shared.run_state import RunRecord
from shared.runtime import build
from shared.settings import Settings
from tests.emulators import environment, jars

FOLDERS = ("runs", "distillation_dataset", "reports")
PATIENCE_S = 150.0


class Emulated:
    """A stack that is up, and a client's view of it."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.out = stack.out
        with environment(stack.environment):
            self.runtime = build(Settings(stack="emulators", out=stack.out))

    def drop(self, text: str, name: str = "e2e.yaml") -> str:
        """Drop a config and return its run's id."""
        return self.runtime.inbox.drop(f"runs/{name}", text.encode()).run_id

    def ended(self, run_id: str, patience_s: float = PATIENCE_S) -> RunRecord:
        """Wait until a run has ended, and return how."""
        deadline = time.monotonic() + patience_s
        while (record := self.record(run_id)).status == "running":
            assert time.monotonic() < deadline, (record, run_state.deliveries(self.runtime.documents, run_id))
            time.sleep(0.1)
        return record

    def record(self, run_id: str) -> RunRecord:
        """Return how a run stands."""
        try:
            return run_state.run(self.runtime.documents, run_id)
        except NotFound:
            return RunRecord(run_id=run_id)

    def wait_for(self, run_id: str, artifact: str) -> None:
        """Wait until a run has made an artifact."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.runtime.store.exists(f"runs/{run_id}/{artifact}"):
            assert time.monotonic() < deadline, f"no {artifact}"
            time.sleep(0.05)

    def letters(self, run_id: str) -> list[DeadLetter]:
        """Return a run's dead letters."""
        return [letter for letter in letters(self.runtime.documents) if letter.run_id == run_id]

    def artifacts(self, run_id: str) -> dict[str, str]:
        """Return everything that a run left in the bucket, by its name without the run's, with its sha256."""
        store = self.runtime.store
        names = [name for folder in FOLDERS for name in store.names(f"{folder}/{run_id}/")]
        return {name.replace(run_id, "RUN"): hashlib.sha256(store.read(name)).hexdigest() for name in names}


@contextmanager
def emulated(
    out: Path,
    graph: Topology | None = None,
    storage_fail_share: float = 0.0,
    functions: Collection[str] | None = None,
) -> Iterator[Emulated]:
    """Start a stack for a test; skips it, saying what to install, where this machine has no emulators."""
    jars()
    with local_stack(out, graph=graph, storage_fail_share=storage_fail_share, functions=functions) as stack:
        yield Emulated(stack)


def files_of(outcome: dict[str, Any]) -> dict[str, str]:
    """Return everything that a run of the embedded stack left, as `Emulated.artifacts` does."""
    out, run_id = Path(outcome["out"]), outcome["run_id"]
    paths = [path for folder in FOLDERS for path in (out / folder / run_id).rglob("*") if path.is_file()]
    names = {path.relative_to(out).as_posix().replace(run_id, "RUN"): path for path in paths}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in names.items()}


def dataset(files: dict[str, str]) -> dict[str, str]:
    """Return those of a run's files that are its dataset."""
    return {name: digest for name, digest in files.items() if name.startswith("distillation_dataset/")}
