"""Body routes: days, targets, the dashboard and interactions; and what other services and the bus ask."""

from typing import Annotated

from flask import Blueprint
from pydantic import Field

from services.logging.bodies import (
    DayChange,
    DayPath,
    DaysQuery,
    InteractionsQuery,
    NewTarget,
    TargetChange,
)
from services.logging.export import export
from services.logging.ports import deps
from services.logging.schemas import (
    Dashboard,
    DayEntry,
    Days,
    Interactions,
    LogExport,
    Target,
    TargetKind,
    Targets,
)
from shared.bodies import Body, read_query
from shared.endpoints import Answer, Caller, Receipt, User, Version, endpoint
from shared.errors import Conflict, NotFound, Stale
from shared.events import AiInteraction
from shared.log_summary import LogSummary
from shared.pushes import pushed

daily = Blueprint("daily", __name__)
targets = Blueprint("targets", __name__)
dashboard = Blueprint("dashboard", __name__)
interactions = Blueprint("interactions", __name__)
internal = Blueprint("internal", __name__)


class SummaryQuery(Body):
    """Which weeks, and how many sessions the plan has in one, where that is known."""

    weeks: Annotated[int, Field(ge=1, le=12)] = 4
    planned: Annotated[int | None, Field(ge=1, le=14)] = None


@daily.get("/v1/daily")
@endpoint()
def list_days(user: User, query: DaysQuery) -> Days:
    """List days, the latest first."""
    return deps().days.page(user, query)


@daily.get("/v1/daily/<day:day>")
@endpoint(raises=(NotFound,))
def show_day(user: User, day: str) -> Answer[DayEntry]:
    """Show a day."""
    return deps().days.show(user, read_query({"day": day}, DayPath).day)


@daily.patch("/v1/daily/<day:day>")
@endpoint()
def log_day(user: User, day: str, body: DayChange) -> Answer[DayEntry]:
    """Log sleep, calories, weight or body fat of a day; what was logged of it before and is not given stays."""
    return deps().days.log(user, read_query({"day": day}, DayPath).day, body)


@daily.delete("/v1/daily/<day:day>")
@endpoint(raises=(NotFound,))
def delete_day(user: User, day: str) -> None:
    """Forget a day."""
    deps().days.delete(user, read_query({"day": day}, DayPath).day)


@targets.get("/v1/targets")
@endpoint()
def list_targets(user: User) -> Answer[Targets]:
    """List targets, the latest of each kind first."""
    return deps().targets.all(user)


@targets.post("/v1/targets/<any(calories,sleep,sessions,weight):kind>")
@endpoint(status=201, raises=(Conflict,))
def set_target(user: User, kind: TargetKind, body: NewTarget, receipt: Receipt) -> Answer[Target]:
    """Set a target; the active one of its kind ends where it begins."""
    return deps().targets.add(user, kind, receipt, body)


@targets.get("/v1/targets/<uuid:target_id>")
@endpoint(raises=(NotFound,))
def show_target(user: User, target_id: str) -> Answer[Target]:
    """Show a target."""
    return deps().targets.show(user, target_id)


@targets.patch("/v1/targets/<uuid:target_id>")
@endpoint(raises=(NotFound, Stale))
def change_target(user: User, target_id: str, version: Version, body: TargetChange) -> Answer[Target]:
    """Change a target, or end it."""
    return deps().targets.change(user, target_id, version, body)


@targets.delete("/v1/targets/<uuid:target_id>")
@endpoint(raises=(NotFound,))
def delete_target(user: User, target_id: str) -> None:
    """Delete a target."""
    deps().targets.delete(user, target_id)


@dashboard.get("/v1/dashboard")
@endpoint()
def show_dashboard(user: User) -> Answer[Dashboard]:
    """Show the last twelve weeks at a glance."""
    return deps().dashboard.show(user)


@interactions.get("/v1/interactions")
@endpoint()
def list_interactions(user: User, query: InteractionsQuery) -> Interactions:
    """List what you asked the coach, and what came of it, the latest first."""
    return deps().interactions.page(user, query)


@internal.get("/internal/users/<uuid:user_id>/summary")
@endpoint(hidden=True)
def summarise(caller: Caller, user_id: str, query: SummaryQuery) -> LogSummary:
    """Return what a coach reads out of a user's log."""
    return deps().dashboard.summary(user_id, query.weeks, query.planned)


@internal.get("/internal/users/<uuid:user_id>/export")
@endpoint(hidden=True)
def export_log(caller: Caller, user_id: str) -> Answer[LogExport]:
    """Return all that this service has of a user."""
    return Answer(export(deps().database, user_id, deps().clock()))


def _keep(event: AiInteraction) -> None:
    deps().interactions.keep(event)


internal.post("/events/ai-interaction")(pushed(AiInteraction, _keep))
