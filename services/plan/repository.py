"""Repository: plans with their revisions in Postgres.

What is read often is one statement: the plan lies there as the JSON that is sent (`document`, all but its
status). What is written takes locks in one order (the user, the proposal, the plan), so that writers wait for
each other instead of failing; whoever writes says which revision it was made for.

    plan.plans        one row a plan; a partial unique index keeps one active per user
    plan.revisions    every revision there ever was, whole
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Connection

from services.plan.plan_rows import (
    Document,
    NewRevision,
    StoredPlan,
    StoredRevision,
    deactivate,
    do,
    lock_user,
    locked,
    no_plan,
    now_of,
    row_of,
    stored_plan,
)
from services.plan.schemas import (
    PlanList,
    PlanStatus,
    PlanSummary,
    PlanView,
    RevisionContent,
    RevisionList,
    RevisionView,
)
from services.plan.views import Told, plan_view
from shared.coach.plan import WorkoutPlan
from shared.database import Database
from shared.errors import Conflict, NotFound
from shared.statements import Statement

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOST_PLANS: Final = 100
"""Of one user; archive does not free a place, so that nobody fills a disk by a loop."""

_CURRENT: Final = Statement(
    "SELECT revision, document, plan_id FROM plan.plans WHERE user_id = :user_id AND status = 'active'"
)
_ONE: Final = Statement(
    "SELECT revision, document, status FROM plan.plans WHERE user_id = :user_id AND plan_id = :plan_id"
)
_LIST: Final = Statement(
    "SELECT plan_id, status, revision, name, goal, created_at, updated_at FROM plan.plans"
    " WHERE user_id = :user_id AND (created_at, plan_id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid))"
    " AND (CAST(:archived AS boolean) OR status <> 'archived') ORDER BY created_at DESC, plan_id DESC LIMIT :most"
)
_CONTENT: Final = Statement(
    "SELECT p.plan_id, p.status, p.revision, r.plan, p.created_at FROM plan.plans p"
    " JOIN plan.revisions r ON r.plan_id = p.plan_id AND r.number = p.revision"
    " WHERE p.user_id = :user_id AND CASE WHEN CAST(:plan_id AS text) = '' THEN p.status = 'active'"
    " ELSE p.plan_id::text = :plan_id END"
)
_REVISIONS: Final = Statement(
    "SELECT number, cause, note, told, created_at FROM plan.revisions"
    " WHERE user_id = :user_id AND plan_id = :plan_id AND number < :before ORDER BY number DESC LIMIT :most"
)
_REVISION: Final = Statement(
    "SELECT r.number, r.cause, r.note, r.told, r.created_at, r.plan, p.status, p.created_at FROM plan.revisions r"
    " JOIN plan.plans p ON p.plan_id = r.plan_id"
    " WHERE r.user_id = :user_id AND r.plan_id = :plan_id AND r.number = :number"
)


class Plans:
    """The plans of all users; whose they are is told with every call. Raises NotFound for what is not theirs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, user_id: str) -> Document:
        """Return the active plan, ready to be sent."""
        rows = self._database.run(user_id, _CURRENT(user_id=user_id))[0]
        if not rows:
            raise NotFound("there is no active plan; make one with POST /v1/plans")
        revision, document, plan_id = rows[0]
        return Document(_with_status(document, "active"), revision, UUID(plan_id))

    def get(self, user_id: str, plan_id: UUID) -> Document:
        """Return one plan, ready to be sent."""
        rows = self._database.run(user_id, _ONE(user_id=user_id, plan_id=str(plan_id)))[0]
        if not rows:
            raise no_plan(plan_id)
        revision, document, status = rows[0]
        return Document(_with_status(document, status), revision, plan_id)

    def list(self, user_id: str, before: tuple[datetime, UUID], most: int, archived: bool) -> PlanList:
        """Return plans, the newest first, from before one on."""
        asked = _LIST(
            user_id=user_id,
            before_at=before[0].isoformat(),
            before_id=str(before[1]),
            archived=archived,
            most=most + 1,
        )
        rows = self._database.run(user_id, asked)[0]
        plans = tuple(
            PlanSummary(
                plan_id=row[0],
                status=row[1],
                revision=row[2],
                name=row[3],
                goal=row[4],
                created_at=row[5],
                updated_at=row[6],
            )
            for row in rows[:most]
        )
        return PlanList(plans=plans, next=_place(plans[-1]) if len(rows) > most else None)

    def content(self, user_id: str, plan_id: UUID | None) -> StoredPlan | None:
        """Return a plan to work with, the active one if none is named; None where there is none."""
        asked = _CONTENT(user_id=user_id, plan_id=str(plan_id) if plan_id else "")
        rows = self._database.run(user_id, asked)[0]
        return stored_plan(rows[0]) if rows else None

    def require(self, user_id: str, plan_id: UUID) -> StoredPlan:
        """Return a plan to work with."""
        found = self.content(user_id, plan_id)
        if found is None:
            raise no_plan(plan_id)
        return found

    def revisions(self, user_id: str, plan_id: UUID, before: int, most: int) -> RevisionList:
        """Return a plan's revisions, the newest first, from before a number on."""
        asked = _REVISIONS(user_id=user_id, plan_id=str(plan_id), before=before, most=most)
        rows = self._database.run(user_id, asked)[0]
        if not rows:
            self.require(user_id, plan_id)
        return RevisionList(revisions=tuple(RevisionView(**_revision(row)) for row in rows))

    def revision(self, user_id: str, plan_id: UUID, number: int) -> StoredRevision:
        """Return one revision with the plan as it was then."""
        asked = _REVISION(user_id=user_id, plan_id=str(plan_id), number=number)
        rows = self._database.run(user_id, asked)[0]
        if not rows:
            raise NotFound(f"there is no revision {number} of plan {plan_id}")
        row = rows[0]
        plan, told = WorkoutPlan.model_validate_json(row[5]), Told.model_validate_json(row[3])
        view = plan_view(plan_id, row[6], number, plan, told, row[7], row[4])
        return StoredRevision(RevisionContent(**_revision(row), plan=view), plan, told)

    def create(self, connection: Connection, user_id: str, plan_id: UUID, new: NewRevision, activate: bool) -> PlanView:
        """Keep a new plan within a transaction, active if so asked; keeping it twice is keeping it once."""
        lock_user(connection, user_id)
        there = row_of(connection, "SELECT 1 FROM plan.plans WHERE plan_id = :plan_id", {"plan_id": plan_id})
        if there:
            return self.view(connection, user_id, plan_id)
        count = row_of(connection, "SELECT count(*) FROM plan.plans WHERE user_id = :user_id", {"user_id": user_id})
        if count is not None and count[0] >= MOST_PLANS:
            raise Conflict(f"there are {MOST_PLANS} plans already, which is the most")
        if activate:
            deactivate(connection, user_id)
        status: PlanStatus = "active" if activate else "inactive"
        now = now_of(connection)
        view = plan_view(plan_id, status, 1, new.plan, new.told, now, now)
        values = _values(user_id, view) | {"status": status, "now": now}
        do(
            connection,
            "INSERT INTO plan.plans (plan_id, user_id, status, revision, name, goal, document, created_at, updated_at)"
            " VALUES (:plan_id, :user_id, :status, :revision, :name, :goal, :document, :now, :now)",
            values,
        )
        _keep_revision(connection, user_id, view, new)
        return view

    def revise(self, connection: Connection, user_id: str, stored: StoredPlan, new: NewRevision) -> PlanView:
        """Make a new revision of a plan that `locked` gave within this transaction."""
        now = now_of(connection)
        number = stored.revision + 1
        view = plan_view(stored.plan_id, stored.status, number, new.plan, new.told, stored.created_at, now)
        do(
            connection,
            "UPDATE plan.plans SET revision = :revision, name = :name, goal = :goal, document = :document,"
            " updated_at = :now WHERE user_id = :user_id AND plan_id = :plan_id",
            _values(user_id, view) | {"now": now},
        )
        _keep_revision(connection, user_id, view, new)
        return view

    def set_status(self, connection: Connection, user_id: str, plan_id: UUID, status: PlanStatus) -> PlanView:
        """Activate or archive a plan within a transaction; the plan that was active is not any more."""
        lock_user(connection, user_id)
        stored = locked(connection, user_id, plan_id, None)
        if stored.status != status:
            if status == "active":
                deactivate(connection, user_id)
            do(
                connection,
                "UPDATE plan.plans SET status = :status WHERE user_id = :user_id AND plan_id = :plan_id",
                {"status": status, "user_id": user_id, "plan_id": plan_id},
            )
        return self.view(connection, user_id, plan_id)

    def view(self, connection: Connection, user_id: str, plan_id: UUID) -> PlanView:
        """Return a plan as this transaction sees it."""
        row = row_of(
            connection,
            "SELECT document, status FROM plan.plans WHERE user_id = :user_id AND plan_id = :plan_id",
            {"user_id": user_id, "plan_id": plan_id},
        )
        if row is None:
            raise no_plan(plan_id)
        return PlanView.model_validate_json(_with_status(row[0], row[1]))


def _keep_revision(connection: Connection, user_id: str, view: PlanView, new: NewRevision) -> None:
    do(
        connection,
        "INSERT INTO plan.revisions (plan_id, number, user_id, plan, told, cause, note, created_at)"
        " VALUES (:plan_id, :number, :user_id, CAST(:plan AS jsonb), CAST(:told AS jsonb), :cause, :note, :at)",
        {
            "plan_id": view.plan_id,
            "number": view.revision,
            "user_id": user_id,
            "plan": new.plan.model_dump_json(),
            "told": new.told.model_dump_json(),
            "cause": new.cause,
            "note": new.note,
            "at": view.updated_at,
        },
    )


def _values(user_id: str, view: PlanView) -> dict[str, object]:
    return {
        "plan_id": view.plan_id,
        "user_id": user_id,
        "revision": view.revision,
        "name": view.name,
        "goal": view.goal,
        "document": view.model_dump_json(exclude={"status"}),
    }


def _place(plan: PlanSummary) -> str:
    """Return a plan's place in the list of all: microseconds since 1970, and its id."""
    return f"{(plan.created_at - EPOCH) // timedelta(microseconds=1)}~{plan.plan_id}"


def _with_status(document: str, status: str) -> bytes:
    """Return a stored document with its status in front, as `PlanView` has it."""
    return b'{"status":"%s",%s' % (status.encode(), document[1:].encode())


def _revision(row: Any) -> dict[str, Any]:
    told = orjson.loads(row[3])
    return {"revision": row[0], "cause": row[1], "note": row[2], "writer": told["writer"], "created_at": row[4]}
