"""Tables: runs, deliveries and dead letters for people. Nothing is cut off, however narrow the terminal."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table

from shared.dead_letters import DeadLetter
from shared.run_state import DeliveryRecord, RunRecord

LEAST_COLUMNS = 80
"""A narrower terminal wraps lines itself, which leaves ids whole."""
WHOLE = ("run", "id", "part", "version")


def show(*tables: Table) -> None:
    """Print tables on standard output."""
    wide = max(Console().width, LEAST_COLUMNS)
    Console(width=wide, soft_wrap=False).print(*tables)


def runs_table(records: Sequence[RunRecord]) -> Table:
    """Return how runs stand."""
    table = plain("run", "name", "status", "people", "began", "why")
    for record in records:
        why = "; ".join(record.reasons)
        table.add_row(record.run_id, record.name, record.status, f"{record.users:,}", clock(record.began_at), why)
    return table


def deliveries_table(deliveries: Sequence[DeliveryRecord]) -> Table:
    """Return how the parts of a run stand."""
    table = plain("part", "status", "attempts", "items", "seconds", "error")
    for one in deliveries:
        numbers = (str(one.attempts), f"{one.done:,}", f"{one.seconds:.2f}")
        table.add_row(one.key, one.status, *numbers, one.error or "")
    return table


def letters_table(letters: Sequence[DeadLetter]) -> Table:
    """Return dead letters, with why they died."""
    table = plain("id", "function", "run", "attempts", "since", "why")
    for letter in letters:
        since = clock(letter.buried_at)
        table.add_row(letter.id, letter.function, letter.run_id or "", str(letter.attempts), since, letter.error)
    return table


def plain(*names: str) -> Table:
    """Return an empty table of named columns."""
    table = Table(box=None)
    for name in names:
        table.add_column(name, no_wrap=name in WHOLE, overflow="fold")
    return table


def clock(moment: datetime | None) -> str:
    """Return a moment to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""
