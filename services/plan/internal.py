"""Internal: what only this system calls: the bus, with jobs to work on, and profile, for a user's own data."""

from uuid import UUID

import flask

from services.plan.deps import deps
from services.plan.exporting import UserPlans, exported
from services.plan.pushes import Push, event_in
from services.plan.working import work
from shared.endpoints import Caller, endpoint
from shared.events import PlanJobRequested

bp = flask.Blueprint("internal", __name__)


@bp.post("/events/plan-job-requested")
@endpoint(hidden=True)
def plan_job_requested(caller: Caller, body: Push) -> None:
    """Make the plan of a job."""
    work(deps(), event_in(body, PlanJobRequested))


@bp.get("/internal/users/<uuid:user_id>/plans")
@endpoint(hidden=True)
def export_plans(caller: Caller, user_id: str) -> UserPlans:
    """Return all that there is of a user here, for their export."""
    return exported(deps().database, str(UUID(user_id)))
