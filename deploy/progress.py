"""Progress: a live view of a run, read from the run's state; plain lines where nobody watches a terminal."""

import time
from collections import defaultdict
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.topology import Topology
from shared.documents import Documents
from shared.run_state import DeliveryRecord, deliveries

EVERY_S = 0.25
SHARDED = ("profiles", "workouts", "queries", "teacher")


class Progress:
    """Shows a run until it ends; call `tick` often."""

    def __init__(self, console: Console, topology: Topology, documents: Documents, run_id: str, shards: int) -> None:
        self._console = console
        self._documents = documents
        self._run_id = run_id
        self._expected = {name: shards if name in SHARDED else 1 for name in topology.pipeline()}
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._announced: set[str] = set()
        self._next = 0.0

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show()
        if self._live:
            self._live.stop()

    def tick(self) -> None:
        """Show what has changed, at most every EVERY_S."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            self._show()

    def _show(self) -> None:
        by_phase: dict[str, list[DeliveryRecord]] = defaultdict(list)
        for delivery in deliveries(self._documents, self._run_id):
            by_phase[delivery.phase].append(delivery)
        if self._live:
            self._live.update(self._table(by_phase), refresh=True)
        else:
            self._announce(by_phase)

    def _announce(self, by_phase: dict[str, list[DeliveryRecord]]) -> None:
        for phase, found in by_phase.items():
            done = sum(one.status == "done" for one in found)
            if done == self._expected.get(phase) and phase not in self._announced:
                self._announced.add(phase)
                self._console.print(f"{phase:<10} {_summary(found)}", highlight=False)
            for one in found:
                if one.status == "failed" and (mark := f"{one.key}#{one.attempts}") not in self._announced:
                    self._announced.add(mark)
                    self._console.print(f"{one.key:<10} attempt {one.attempts} failed: {one.error}", highlight=False)

    def _table(self, by_phase: dict[str, list[DeliveryRecord]]) -> Table:
        table = Table(box=None, pad_edge=False, title=f"run {self._run_id}", title_justify="left")
        for column in ("phase", "parts", "items", "per second", "seconds", "USD"):
            table.add_column(column, justify="left" if column == "phase" else "right")
        for phase, expected in self._expected.items():
            table.add_row(*_row(phase, expected, by_phase.get(phase, [])))
        return table


def _row(phase: str, expected: int, found: list[DeliveryRecord]) -> tuple[str, ...]:
    done = sum(one.status == "done" for one in found)
    failed = [one for one in found if one.status == "failed"]
    mark = "[red]✗[/]" if failed else "[green]✓[/]" if done == expected else "[cyan]›[/]" if found else " "
    items, seconds = sum(one.done for one in found), sum(one.seconds for one in found)
    cost = sum(one.cost_usd for one in found)
    return (
        f"{mark} {phase}",
        f"{done}/{expected}" if found else "",
        f"{items:,}" if items else "",
        f"{items / seconds:,.0f}" if items and seconds else "",
        f"{seconds:.2f}" if seconds else "",
        f"{cost:.4f}" if cost else "",
    )


def _summary(found: list[DeliveryRecord]) -> str:
    items, seconds = sum(one.done for one in found), sum(one.seconds for one in found)
    parts = f"{len(found)} parts, " if len(found) > 1 else ""
    counted = f"{items:,} items, " if items else ""
    return f"done: {parts}{counted}{seconds:.2f} s"
