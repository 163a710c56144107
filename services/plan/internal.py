"""Internal: what only this system calls: the bus, with jobs to work on, and profile, for a user's own data."""

from uuid import UUID

import flask

from services.plan.deps import deps
from services.plan.exporting import UserPlans, exported
from services.plan.working import work
from shared.endpoints import Caller, endpoint
from shared.events import PlanJobRequested
from shared.pushes import pushed

bp = flask.Blueprint("internal", __name__)

bp.post("/events/plan-job-requested")(pushed(PlanJobRequested, lambda event: work(deps(), event)))


@bp.get("/internal/users/<uuid:user_id>/plans")
@endpoint(hidden=True)
def export_plans(caller: Caller, user_id: str) -> UserPlans:
    """Return all that there is of a user here, for their export."""
    return exported(deps().database, str(UUID(user_id)))
