"""Working: what the plan service does when its own event comes back to it: it makes the plan of a job."""

from uuid import UUID, uuid5

from sqlalchemy import Connection

from services.plan.coaching import DayWritten, Discarded, Finished
from services.plan.deps import Deps
from services.plan.jobs import Claim
from services.plan.planning import creation, keep_plan, told_plan
from shared.coach.plan import PlanAnswer
from shared.errors import FitsenseError, Rejected
from shared.events import PlanJobRequested


def work(deps: Deps, event: PlanJobRequested) -> None:
    """Make the plan of a job, unless it is made; raises Unavailable where it has to be tried again later."""
    claim = deps.jobs.claim(event.user_id, UUID(event.job_id))
    if claim is None:
        return
    try:
        _complete(deps, claim, _made(deps, claim))
    except Rejected as exc:
        deps.jobs.fail(claim, str(exc)[:2000])
    except FitsenseError:
        deps.jobs.release(claim)
        raise


def _made(deps: Deps, claim: Claim) -> Finished:
    """Return the plan as it was written, having noted on the way how far it was."""
    request = creation(deps, claim.user_id, claim.request, str(claim.job_id))
    days = 0
    for happening in told_plan(deps, request, "background"):
        if isinstance(happening, Finished):
            return happening
        days = days + 1 if isinstance(happening, DayWritten) else 0
        if isinstance(happening, DayWritten | Discarded):
            deps.jobs.note_days(claim, days)
    raise AssertionError("`coach` ends with an answer, always")


def _complete(deps: Deps, claim: Claim, finished: Finished) -> None:
    request = creation(deps, claim.user_id, claim.request, str(claim.job_id))
    plan_id = uuid5(claim.job_id, "plan")
    answer = finished.answer
    assert isinstance(answer, PlanAnswer)  # noqa: S101  a new plan is answered by nothing else

    def keep(connection: Connection) -> None:
        view = keep_plan(deps, connection, request, plan_id, finished, claim.request.activate)
        message = None if view else answer.explanation
        if not deps.jobs.complete(connection, claim, view.plan_id if view else None, answer.escalation, message):
            raise _Overtaken

    try:
        with deps.database.transaction(claim.user_id) as connection:
            keep(connection)
    except _Overtaken:
        return  # somebody else has the job by now, and makes its plan


class _Overtaken(Exception):
    """This attempt does not count any more; what it made is undone."""
