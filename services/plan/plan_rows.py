"""Plan rows: single rows of plans, locked and read within a transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from services.plan.schemas import (
    Cause,
    PlanStatus,
    RevisionContent,
)
from services.plan.views import Told
from shared.coach.plan import WorkoutPlan
from shared.errors import NotFound, Stale


class Document(NamedTuple):
    """A plan as it is sent."""

    body: bytes
    revision: int
    plan_id: UUID


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it is worked with."""

    plan_id: UUID
    status: PlanStatus
    revision: int
    plan: WorkoutPlan
    created_at: datetime


class StoredRevision(NamedTuple):
    """A revision as the API shows it, and as it is worked with."""

    content: RevisionContent
    plan: WorkoutPlan
    told: Told


@dataclass(frozen=True, slots=True)
class NewRevision:
    """What a plan is to become."""

    plan: WorkoutPlan
    told: Told
    cause: Cause
    note: str


def locked(connection: Connection, user_id: str, plan_id: UUID, revision: int | None) -> StoredPlan:
    """Return a plan that nobody else may change until the transaction ends; raises Stale for another revision."""
    mine = {"user_id": user_id, "plan_id": plan_id}
    # In two statements: one that waits for a lock and joins would look for the new revision in its old snapshot.
    found = row_of(
        connection,
        "SELECT plan_id FROM plan.plans WHERE user_id = :user_id AND plan_id = :plan_id FOR UPDATE",
        mine,
    )
    if found is None:
        raise no_plan(plan_id)
    stored = stored_plan(
        row_of(
            connection,
            "SELECT p.plan_id, p.status, p.revision, r.plan::text, p.created_at FROM plan.plans p"
            " JOIN plan.revisions r ON r.plan_id = p.plan_id AND r.number = p.revision"
            " WHERE p.user_id = :user_id AND p.plan_id = :plan_id",
            mine,
        )
    )
    if revision is not None and stored.revision != revision:
        raise Stale(f"the plan is at revision {stored.revision} by now; yours was made for {revision}")
    return stored


def lock_user(connection: Connection, user_id: str) -> None:
    """Wait until nobody else changes which of the user's plans there are, or is active."""
    do(connection, "SELECT pg_advisory_xact_lock(hashtextextended(:user_id, 5))", {"user_id": user_id})


def deactivate(connection: Connection, user_id: str) -> None:
    do(
        connection,
        "UPDATE plan.plans SET status = 'inactive' WHERE user_id = :user_id AND status = 'active'",
        {"user_id": user_id},
    )


def stored_plan(row: Any) -> StoredPlan:
    return StoredPlan(UUID(str(row[0])), row[1], row[2], WorkoutPlan.model_validate_json(row[3]), row[4])


def no_plan(plan_id: UUID) -> NotFound:
    return NotFound(f"there is no plan {plan_id}")


def now_of(connection: Connection) -> datetime:
    row = row_of(connection, "SELECT now()", {})
    assert row is not None  # noqa: S101  now() has one row
    now: datetime = row[0]
    return now


def row_of(connection: Connection, sql: str, values: Mapping[str, object]) -> Any:
    return connection.execute(text(sql), values).fetchone()


def do(connection: Connection, sql: str, values: Mapping[str, object]) -> None:
    connection.execute(text(sql), values)
