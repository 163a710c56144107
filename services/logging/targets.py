"""Targets: what to aim for, one active of each kind, in Postgres.

A new target closes the active one in its own transaction. Of two that come at once the second waits, finds the
first active, and closes it; where there was none to wait for, the unique index refuses it and it tries again.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final
from uuid import uuid4

from services.logging.bodies import (
    NewTarget,
    TargetChange,
)
from services.logging.schemas import (
    Target,
    TargetKind,
    Targets,
)
from services.logging.workouts import changed
from shared.database import Database
from shared.endpoints import Answer, Receipt
from shared.errors import Conflict, InvalidFields, NotFound
from shared.receipts import Receipts
from shared.statements import DatabaseRefused, Statement

COLUMNS: Final = """json_build_object('target_id', target_id, 'kind', kind, 'value', value, 'method', method,
    'notes', notes, 'effective_from', effective_from, 'effective_to', effective_to, 'version', version)"""
CLOSE: Final = Statement("""
    UPDATE logging.targets SET effective_to = greatest(effective_from, :day), version = version + 1
    WHERE kind = :kind AND effective_to IS NULL""")
ADD: Final = Statement("""
    INSERT INTO logging.targets (target_id, user_id, kind, value, method, notes, effective_from)
    VALUES (:target_id, :user_id, :kind, :value, :method, :notes, :day)""")
LIST: Final = Statement(f"""
    SELECT coalesce(json_agg({COLUMNS}), '[]')::text FROM (
      SELECT * FROM logging.targets ORDER BY kind, effective_from DESC, target_id LIMIT 500) t""")
SHOW: Final = Statement(f"SELECT {COLUMNS}::text, version FROM logging.targets WHERE target_id = :target_id")
CHANGE: Final = Statement(f"""
    UPDATE logging.targets SET effective_to = coalesce(:effective_to, effective_to), notes = coalesce(:notes, notes),
      version = version + 1
    WHERE target_id = :target_id AND version = :version RETURNING {COLUMNS}::text, version""")
VERSION: Final = Statement("SELECT version FROM logging.targets WHERE target_id = :target_id")
DELETE: Final = Statement("DELETE FROM logging.targets WHERE target_id = :target_id RETURNING 1")
MISSING: Final = "you have no such target"
BOUNDS: Final[dict[TargetKind, tuple[float, float, str]]] = {
    "calories": (700, 10_000, "kcal a day"),
    "sleep": (3, 14, "hours a night"),
    "sessions": (1, 14, "sessions a week"),
    "weight": (20, 350, "kg"),
}
TRIES: Final = 5


class PostgresTargets:
    """A user's targets."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._receipts = Receipts(database, "logging")
        self._clock = clock

    def add(self, user_id: str, kind: TargetKind, receipt: Receipt, asked: NewTarget) -> Answer[Target]:
        """Set a target in place of the active one of its kind; raises InvalidFields."""
        low, high, unit = BOUNDS[kind]
        if not low <= asked.value <= high:
            raise InvalidFields((("value", f"must be {low:g} to {high:g} {unit}"),))
        made = Target(
            target_id=uuid4(),
            kind=kind,
            value=round(asked.value, 2),
            method=asked.method,
            notes=asked.notes,
            effective_from=asked.effective_from or self._clock().astimezone(UTC).date(),
            effective_to=None,
            version=1,
        )
        adding = ADD(
            target_id=str(made.target_id),
            user_id=user_id,
            kind=kind,
            value=made.value,
            method=made.method,
            notes=made.notes,
            day=made.effective_from,
        )
        closing = CLOSE(kind=kind, day=made.effective_from)
        for _ in range(TRIES):
            try:
                answer, _rows = self._receipts.run(user_id, receipt, Answer(made, 201, 1), closing, adding)
            except DatabaseRefused as exc:
                if exc.constraint != "targets_one_active":
                    raise
            else:
                return answer
        raise Conflict("another target of this kind is being set; try again")

    def all(self, user_id: str) -> Answer[Targets]:
        """Return a user's targets."""
        ((found,),) = self._database.run(user_id, LIST())
        return Answer(b'{"targets":' + found[0].encode() + b"}")

    def show(self, user_id: str, target_id: str) -> Answer[Target]:
        """Return a target; raises NotFound."""
        (found,) = self._database.run(user_id, SHOW(target_id=target_id))
        if not found:
            raise NotFound(MISSING)
        return Answer(found[0][0].encode(), version=found[0][1])

    def change(self, user_id: str, target_id: str, version: int, asked: TargetChange) -> Answer[Target]:
        """Change a target, or end it; raises NotFound, Stale, InvalidFields."""
        changing = CHANGE(
            target_id=target_id, version=version, effective_to=_day(asked.effective_to), notes=asked.notes
        )
        try:
            found, there = self._database.run(user_id, changing, VERSION(target_id=target_id))
        except DatabaseRefused as exc:
            if exc.constraint != "effective_to":
                raise
            raise InvalidFields((("effective_to", "must not be before effective_from"),)) from exc
        return changed(found, there, MISSING)

    def delete(self, user_id: str, target_id: str) -> None:
        """Delete a target; raises NotFound."""
        (found,) = self._database.run(user_id, DELETE(target_id=target_id))
        if not found:
            raise NotFound(MISSING)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
