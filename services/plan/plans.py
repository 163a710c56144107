"""Plans: make, read, list, activate and archive them, and the jobs that make them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import flask
from sqlalchemy import Connection

from services.plan.answers import Request
from services.plan.bodies import MostQuery, PageQuery, PlanRequest
from services.plan.coaching import Finished
from services.plan.deps import Deps, deps
from services.plan.once import before, once
from services.plan.plan_rows import Document
from services.plan.planning import creation, keep_plan
from services.plan.repository import EPOCH
from services.plan.schemas import EscalationView, JobList, JobView, PlanList, PlanView, StreamedDay, StreamedError
from services.plan.streaming import plan_events, replayed
from shared.endpoints import Answer, Receipt, Stream, User, endpoint
from shared.errors import Conflict, NotFound
from shared.events import PlanJobRequested
from shared.http import request_id

bp = flask.Blueprint("plans", __name__)

StreamedPlan = StreamedDay | StreamedError | PlanView | EscalationView
END_OF_TIME: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


@bp.post("/v1/plans")
@endpoint(status=202, raises=(Conflict,))
def request_plan(user: User, body: PlanRequest, receipt: Receipt) -> Answer[JobView]:
    """Have a plan made in the background; ask for the job's status where Location says."""
    known = deps()
    creation(known, user, body, request_id())
    job_id = uuid4()
    job, insert = known.jobs.queued(user, job_id, body)
    answer = Answer(job, 202, headers={"Location": f"/v1/plans/jobs/{job_id}"})
    given, rows = known.receipts.run(user, receipt, answer, insert)
    if rows or given is answer:
        known.bus.publish(PlanJobRequested(job_id=str(job_id), user_id=user))
    return given


@bp.post("/v1/plans:stream")
@endpoint(raises=(Conflict,))
def stream_plan(user: User, body: PlanRequest, receipt: Receipt) -> Stream[StreamedPlan]:
    """Make a plan and tell it while it is written: events `day`, `error`, and at last `plan` or `escalation`."""
    known = deps()
    given: Answer[PlanView] | None = before(known, user, receipt)
    if given is not None:
        return Stream(replayed(_read(given)))
    request = creation(known, user, body, request_id())
    return Stream(plan_events(known, request, keeping(known, request, receipt, body.activate)))


def keeping(
    known: Deps, request: Request, receipt: Receipt, activate: bool
) -> Callable[[Finished], PlanView | EscalationView]:
    """Return what keeps a finished plan, once under one key, and says how it was kept."""
    plan_id = uuid4()

    def kept(finished: Finished) -> PlanView | EscalationView:
        def make(connection: Connection) -> Answer[PlanView]:
            view = keep_plan(known, connection, request, plan_id, finished, activate)
            return Answer(view, 200, view.revision if view else None)

        if getattr(finished.answer, "plan", None) is None:
            return escalation(finished)
        return _read(once(known, request.user_id, receipt, make))

    return kept


def escalation(finished: Finished) -> EscalationView:
    """Return an answer without a plan as the API shows it."""
    answer = finished.answer
    return EscalationView(
        escalation=answer.escalation,
        message=getattr(answer, "explanation", ""),
        safety_notes=getattr(answer, "safety_notes", ()),
        writer=finished.writer,
    )


@bp.get("/v1/plans/current")
@endpoint(raises=(NotFound,))
def current_plan(user: User) -> Answer[PlanView]:
    """Return the active plan."""
    return _document(deps().plans.current(user))


@bp.get("/v1/plans")
@endpoint()
def list_plans(user: User, query: PageQuery) -> PlanList:
    """Return the user's plans, the newest first."""
    return deps().plans.list(user, _before(query.before), query.most, query.archived)


@bp.get("/v1/plans/<uuid:plan_id>")
@endpoint(raises=(NotFound,))
def get_plan(user: User, plan_id: str) -> Answer[PlanView]:
    """Return one plan."""
    return _document(deps().plans.get(user, UUID(plan_id)))


@bp.post("/v1/plans/<uuid:plan_id>:activate")
@endpoint(raises=(NotFound,))
def activate_plan(user: User, plan_id: str, receipt: Receipt) -> Answer[PlanView]:
    """Make a plan the active one; the one that was is kept, and is not active any more."""
    return _set_status(user, plan_id, receipt, "active")


@bp.post("/v1/plans/<uuid:plan_id>:archive")
@endpoint(raises=(NotFound,))
def archive_plan(user: User, plan_id: str, receipt: Receipt) -> Answer[PlanView]:
    """Put a plan away; where it was the active one, no plan is active afterwards."""
    return _set_status(user, plan_id, receipt, "archived")


@bp.get("/v1/plans/jobs")
@endpoint()
def list_jobs(user: User, query: MostQuery) -> JobList:
    """Return the newest jobs."""
    return JobList(jobs=deps().jobs.latest(user, query.most))


@bp.get("/v1/plans/jobs/<uuid:job_id>")
@endpoint(raises=(NotFound,))
def get_job(user: User, job_id: str) -> JobView:
    """Return a job's status, and the plan's id once there is one."""
    job, waits = deps().jobs.get(user, UUID(job_id))
    if waits:
        deps().bus.publish(PlanJobRequested(job_id=job_id, user_id=user))
    return job


def _set_status(user: User, plan_id: str, receipt: Receipt, status: str) -> Answer[PlanView]:
    known = deps()

    def make(connection: Connection) -> Answer[PlanView]:
        view = known.plans.set_status(connection, user, UUID(plan_id), "active" if status == "active" else "archived")
        return Answer(view, 200, view.revision)

    return once(known, user, receipt, make)


def _document(document: Document) -> Answer[PlanView]:
    return Answer(document.body, version=document.revision)


def _read(answer: Answer[PlanView]) -> PlanView:
    if isinstance(answer.content, PlanView):
        return answer.content
    assert isinstance(answer.content, bytes)  # noqa: S101  an answer that was kept is its JSON
    return PlanView.model_validate_json(answer.content)


def _before(text: str | None) -> tuple[datetime, UUID]:
    if text is None:
        return END_OF_TIME
    moment, _, plan_id = text.partition("~")
    return EPOCH + timedelta(microseconds=int(moment)), UUID(plan_id)
