"""Run state: how far a run has come, in documents; for people and progress views, not for correctness.

    runs/<run_id>                the run: name, status, why it ended, when
    deliveries/<run_id>/<key>    one phase or shard of a phase: status, attempts, items done, seconds, cost
    budgets/<run_id>             what of the run's cost limit is drawn; the teacher's ledger

Nothing here decides what work is done: that is what artifacts are for.
"""

import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, Self

from pydantic import ConfigDict

from shared.documents import Data, Documents, update
from shared.errors import NotFound, Stopped
from shared.event import Event
from shared.frozen import Frozen

RunStatus = Literal["running", "approved", "rejected", "failed", "stopped", "interrupted"]
DeliveryStatus = Literal["running", "done", "failed"]

PROGRESS_EVERY_S = 0.25


class RunRecord(Frozen):
    """A run, as `fitsense runs` shows it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str
    name: str = ""
    status: RunStatus = "running"
    reasons: tuple[str, ...] = ()
    users: int = 0
    shards: int = 0
    began_at: datetime | None = None
    ended_at: datetime | None = None


class DeliveryRecord(Frozen):
    """One phase of a run, or one shard of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    status: DeliveryStatus = "running"
    attempts: int = 0
    done: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    error: str | None = None

    @property
    def phase(self) -> str:
        """The phase that this is a delivery to."""
        return self.key.partition("/")[0]


def create(documents: Documents, record: RunRecord) -> None:
    """Note that a run exists, unless that is known."""
    documents.create(f"runs/{record.run_id}", record.model_dump(mode="json") | {"began_at": _now()})


def finish(documents: Documents, run_id: str, status: RunStatus, reasons: tuple[str, ...] = ()) -> None:
    """Set how a run ended; a run that goes on again is set to `running` the same way."""
    ended = None if status == "running" else _now()
    changes: Data = {"run_id": run_id, "status": status, "reasons": list(reasons), "ended_at": ended}
    update(documents, f"runs/{run_id}", lambda data: data | changes)


def break_off(documents: Documents, run_id: str, status: Literal["failed", "stopped"], reason: str) -> None:
    """Note that a run cannot go on, unless it has ended by now: the first reason is the one to mend."""
    ended: Data = {"run_id": run_id, "status": status, "reasons": [reason], "ended_at": _now()}

    def end(data: Data) -> Data:
        return data | ended if data.get("status", "running") == "running" else data

    update(documents, f"runs/{run_id}", end)


def run(documents: Documents, run_id: str) -> RunRecord:
    """Return a run; raises NotFound."""
    found = documents.get(f"runs/{run_id}")
    if found is None:
        raise NotFound(f"there is no run {run_id!r} here")
    return RunRecord.model_validate(found.data)


def runs(documents: Documents) -> list[RunRecord]:
    """Return all runs, oldest first."""
    return [RunRecord.model_validate(found.data) for found in documents.list("runs/")]


def deliveries(documents: Documents, run_id: str) -> list[DeliveryRecord]:
    """Return what is known of a run's phases and shards, in key order."""
    return [DeliveryRecord.model_validate(found.data) for found in documents.list(f"deliveries/{run_id}/")]


def delivery(documents: Documents, run_id: str, key: str) -> DeliveryRecord | None:
    """Return what is known of one phase or shard of a run."""
    found = documents.get(f"deliveries/{run_id}/{key}")
    return DeliveryRecord.model_validate(found.data) if found else None


def delivery_key(function: str, event: Event) -> str:
    """Return the key of an event's delivery to a function: the function, and which shard, model or job it is about."""
    part = event.part()
    return f"{function}/{part}" if part else function


def budget_path(run_id: str) -> str:
    """Return the path of the document that holds what of a run's cost limit is drawn."""
    return f"budgets/{run_id}"


def raise_cost_limit(documents: Documents, run_id: str, cap_usd: float) -> None:
    """Set another cost limit for a run that stopped at its own; run.json keeps the one it began with."""
    update(documents, budget_path(run_id), lambda data: data | {"cap_usd": cap_usd})


class Delivery:
    """One attempt at a delivery, as a context: notes its beginning, its progress, and how it ended.

    One that finds the work done has no items and hardly takes time; what the attempt that did it noted stays.
    """

    def __init__(self, documents: Documents, run_id: str, key: str) -> None:
        self._documents = documents
        self._path = f"deliveries/{run_id}/{key}"
        self._key = key
        self._began = self._told = time.monotonic()
        self._progress: Data = {}

    def __enter__(self) -> Self:
        def begin(data: Data) -> Data:
            before = DeliveryRecord.model_validate(data | {"key": self._key})
            return data | {"key": self._key, "status": "running", "attempts": before.attempts + 1}

        update(self._documents, self._path, begin)
        return self

    def progress(self, done: int, cost_usd: float = 0.0) -> None:
        """Note how many items are done and what they cost, at most every PROGRESS_EVERY_S."""
        self._progress = {"done": done, "cost_usd": cost_usd}
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY_S:
            self._told = now
            self._set({})

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = round(time.monotonic() - self._began, 4)
        ended: Data = {"status": "done", "error": None} if exc is None else {"status": "failed", "error": describe(exc)}

        def end(data: Data) -> Data:
            longest = max(seconds, DeliveryRecord.model_validate(data | {"key": self._key}).seconds)
            return data | self._progress | ended | {"seconds": longest}

        update(self._documents, self._path, end)

    def _set(self, changes: Data) -> None:
        update(self._documents, self._path, lambda data: data | self._progress | changes)


def describe(exc: BaseException) -> str:
    """Return an error in a line: its kind is told only where the text alone would puzzle."""
    text = " ".join(str(exc).split())
    return text if isinstance(exc, Stopped) else f"{type(exc).__name__}: {text}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
