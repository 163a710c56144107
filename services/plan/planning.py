"""Planning: from a user's request to a plan, a proposal or a reply that is kept and told.

What is known is read first, then a model may take its time with no connection held, then what came of it is
kept in one transaction. The user's profile is fetched from profile, their summary from logging; where logging
is down, coaching goes on without it, but for adaptation, which is about nothing else.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from uuid import UUID

from sqlalchemy import Connection

from services.plan import requests
from services.plan.adapting import Signal, adapt
from services.plan.answers import Request, Writer
from services.plan.coaching import Finished, Happening, coach
from services.plan.deps import Deps
from services.plan.interactions import interaction
from services.plan.plan_rows import NewRevision, StoredPlan
from services.plan.ports import People, Priority
from services.plan.proposing import Proposal, ProposalKind, ProposedEdit
from services.plan.requests import Known, PlanWish
from services.plan.schemas import PlanView
from services.plan.views import Told
from shared.coach.plan import Answer, ChatAnswer, EditsAnswer, PlanAnswer
from shared.coach.profile import UserProfile
from shared.errors import Conflict, NotFound, Unavailable
from shared.log_summary import LogSummary


def profile_of(people: People, user_id: str) -> UserProfile:
    """Return somebody's profile; raises Conflict where they have not told anything yet."""
    try:
        return people.profile(user_id)
    except NotFound as exc:
        raise Conflict("there is no profile yet: do the onboarding first, PUT /v1/profile") from exc


def summary_of(people: People, user_id: str, planned: int) -> LogSummary | None:
    """Return somebody's training summary, or None where there is none or logging is down."""
    try:
        return people.summary(user_id, planned)
    except Unavailable:
        return None


def creation(deps: Deps, user_id: str, wish: PlanWish, request_id: str) -> Request:
    """Return the request for a new plan."""
    return requests.creation(wish, Known(profile_of(deps.people, user_id), None, None), request_id)


def told_plan(deps: Deps, request: Request, priority: Priority) -> Generator[Happening]:
    """Yield a plan as it comes to be, and tell what did not pass the router."""
    with closing(coach(request, deps.model, priority)) as happenings:
        for happening in happenings:
            if isinstance(happening, Finished):
                note(deps, request, happening)
            yield happening


def note(deps: Deps, request: Request, finished: Finished) -> None:
    """Publish an answer that no model gave: the router tells of all others."""
    event = interaction(request, finished)
    if event is not None:
        deps.bus.publish(event)


def keep_plan(
    deps: Deps, connection: Connection, request: Request, plan_id: UUID, finished: Finished, activate: bool
) -> PlanView | None:
    """Keep a new plan within a transaction; None where the answer has none, in an emergency."""
    answer = finished.answer
    if not isinstance(answer, PlanAnswer) or answer.plan is None:
        return None
    new = NewRevision(answer.plan, _told(answer, finished.writer), "created", request.words[:200])
    return deps.plans.create(connection, request.user_id, plan_id, new, activate)


def changed(deps: Deps, user_id: str, plan_id: UUID, message: str, request_id: str) -> tuple[StoredPlan, Proposal]:
    """Return what a coach proposes for a plan, as a user wishes."""
    stored = deps.plans.require(user_id, plan_id)
    if stored.status == "archived":
        raise Conflict("the plan is archived; activate it before you change it")
    summary = summary_of(deps.people, user_id, len(stored.plan.days))
    known = Known(profile_of(deps.people, user_id), stored.plan, summary)
    request = requests.change(message, known, request_id)
    return stored, proposal(deps, request, "modification")


def adapted(deps: Deps, user_id: str, request_id: str) -> tuple[StoredPlan, tuple[Signal, ...], Proposal | None]:
    """Return what the log says about next week, and what follows for the active plan."""
    stored = deps.plans.content(user_id, None)
    if stored is None:
        raise Conflict("there is no active plan to adapt; make one with POST /v1/plans")
    summary = deps.people.summary(user_id, len(stored.plan.days))
    known = Known(profile_of(deps.people, user_id), stored.plan, summary)
    found = adapt(stored.plan, known.profile, summary)
    request = requests.adaptation(found, known, request_id)
    return stored, found.signals, proposal(deps, request, "adaptation") if request else None


def proposal(deps: Deps, request: Request, kind: ProposalKind) -> Proposal:
    """Return what a coach proposes in answer to a request; holds no connection meanwhile."""
    finished = whole(coach(request, deps.model))
    note(deps, request, finished)
    answer = finished.answer
    assert isinstance(answer, EditsAnswer)  # noqa: S101  a request for changes is answered by edits
    return Proposal(
        kind=kind,
        request=request.words,
        edits=tuple(ProposedEdit(edit=edit) for edit in answer.edits),
        explanation=answer.explanation,
        safety_notes=answer.safety_notes,
        escalation=answer.escalation,
        writer=finished.writer,
    )


def question(deps: Deps, user_id: str, message: str, request_id: str) -> Request:
    """Return a question to the coach."""
    profile = profile_of(deps.people, user_id)
    known = Known(profile, None, summary_of(deps.people, user_id, profile.days_per_week))
    return requests.chat(message, known, request_id)


def whole(happenings: Iterator[Happening]) -> Finished:
    """Return how it ended."""
    last = None
    for happening in happenings:
        last = happening
    assert isinstance(last, Finished)  # noqa: S101  `coach` ends with it, always
    return last


def reply_of(answer: Answer) -> str:
    """Return the reply of a chat's answer."""
    assert isinstance(answer, ChatAnswer)  # noqa: S101  a question is answered by a reply
    return answer.reply


def _told(answer: PlanAnswer, writer: Writer) -> Told:
    return Told(
        explanation=answer.explanation,
        safety_notes=answer.safety_notes,
        escalation=answer.escalation,
        writer=writer,
    )
