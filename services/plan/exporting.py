"""Exporting: all that the plan service keeps of one user, for whoever asks for their own data."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.plan.schemas import Cause, PlanStatus
from services.plan.views import Told
from shared.coach.plan import WorkoutPlan
from shared.database import Database
from shared.frozen import Frozen
from shared.statements import Statement

_PLANS: Final = Statement(
    "SELECT plan_id, status, created_at FROM plan.plans WHERE user_id = :user_id ORDER BY created_at, plan_id"
)
_REVISIONS: Final = Statement(
    "SELECT plan_id, number, cause, note, created_at, plan, told FROM plan.revisions"
    " WHERE user_id = :user_id ORDER BY plan_id, number"
)
_PROPOSALS: Final = Statement(
    "SELECT proposal_id, plan_id, status, kind, request, edits, told, created_at FROM plan.proposals"
    " WHERE user_id = :user_id ORDER BY created_at, proposal_id"
)
_JOBS: Final = Statement(
    "SELECT job_id, status, request, created_at FROM plan.jobs WHERE user_id = :user_id ORDER BY created_at, job_id"
)


class ExportedRevision(Frozen):
    """A revision of a plan."""

    revision: int
    cause: Cause
    note: str
    created_at: datetime
    plan: WorkoutPlan
    told: Told


class ExportedPlan(Frozen):
    """A plan with all its revisions, oldest first."""

    plan_id: UUID
    status: PlanStatus
    created_at: datetime
    revisions: tuple[ExportedRevision, ...]


class ExportedProposal(Frozen):
    """What was suggested, and what was made of it."""

    proposal_id: UUID
    plan_id: UUID
    status: str
    kind: str
    request: str
    edits: tuple[dict[str, Any], ...]
    told: Told
    created_at: datetime


class ExportedJob(Frozen):
    """What was asked for in the background."""

    job_id: UUID
    status: str
    request: dict[str, Any]
    created_at: datetime


class UserPlans(Frozen):
    """All that the plan service keeps of a user."""

    plans: tuple[ExportedPlan, ...]
    proposals: tuple[ExportedProposal, ...]
    jobs: tuple[ExportedJob, ...]


def exported(database: Database, user_id: str) -> UserPlans:
    """Return all that there is of a user."""
    mine = {"user_id": user_id}
    plans, revisions, proposals, jobs = database.run(
        user_id, _PLANS(**mine), _REVISIONS(**mine), _PROPOSALS(**mine), _JOBS(**mine)
    )
    by_plan: dict[str, list[ExportedRevision]] = {}
    for plan_id, number, cause, note, at, plan, told in revisions:
        revision = {"revision": number, "cause": cause, "note": note, "created_at": at}
        revision |= {"plan": orjson.loads(plan), "told": orjson.loads(told)}
        by_plan.setdefault(plan_id, []).append(ExportedRevision.model_validate(revision))
    return UserPlans(
        plans=tuple(
            ExportedPlan(plan_id=row[0], status=row[1], created_at=row[2], revisions=tuple(by_plan.get(row[0], ())))
            for row in plans
        ),
        proposals=tuple(map(_proposal, proposals)),
        jobs=tuple(
            ExportedJob(job_id=row[0], status=row[1], request=orjson.loads(row[2]), created_at=row[3]) for row in jobs
        ),
    )


def _proposal(row: Any) -> ExportedProposal:
    fields = ("proposal_id", "plan_id", "status", "kind", "request", "edits", "told", "created_at")
    values = dict(zip(fields, row, strict=True))
    values |= {name: orjson.loads(values[name]) for name in ("edits", "told")}
    return ExportedProposal.model_validate(values)
