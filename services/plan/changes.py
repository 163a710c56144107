"""Changes: a plan edited by its user, or as a coach proposes; and every revision it ever had."""

from collections.abc import Callable
from uuid import UUID, uuid4

import flask
from sqlalchemy import Connection

from services.plan.answers import Writer
from services.plan.bodies import (
    ChoiceRequest,
    DiffQuery,
    EditRequest,
    ModifyRequest,
    MostQuery,
    RestoreRequest,
    RevisionsQuery,
    RewriteRequest,
)
from services.plan.changing import edited, rewritten, warnings
from services.plan.deps import deps
from services.plan.once import before, once
from services.plan.plan_rows import NewRevision, locked
from services.plan.planning import changed, profile_of
from services.plan.proposing import Choice, Proposal, decide, whole
from services.plan.restoring import restored
from services.plan.revising import diff
from services.plan.schemas import (
    ChangedPlan,
    DecisionView,
    DiffView,
    ProposalList,
    ProposalView,
    RevisionContent,
    RevisionList,
)
from services.plan.views import Told
from shared.coach.plan import WorkoutPlan
from shared.coach.profile import UserProfile
from shared.endpoints import Answer, Receipt, User, Version, endpoint
from shared.errors import Conflict, NotFound, Stale
from shared.http import request_id

bp = flask.Blueprint("changes", __name__)

BY_USER = Told(explanation="Changed by you.", safety_notes=(), escalation="none", writer=Writer(kind="user"))
Change = Callable[[WorkoutPlan, UserProfile], WorkoutPlan]


@bp.put("/v1/plans/<uuid:plan_id>")
@endpoint(raises=(NotFound, Conflict, Stale))
def rewrite_plan(user: User, plan_id: str, body: RewriteRequest, version: Version) -> Answer[ChangedPlan]:
    """Write a plan anew: its name and all of its days."""
    new = body.domain()
    return _change(user, plan_id, version, lambda plan, person: rewritten(plan, new, person))


@bp.patch("/v1/plans/<uuid:plan_id>")
@endpoint(raises=(NotFound, Conflict, Stale))
def edit_plan(user: User, plan_id: str, body: EditRequest, version: Version) -> Answer[ChangedPlan]:
    """Edit days, exercises and sets of a plan; all edits are made, or none."""
    edits = body.domain()
    return _change(user, plan_id, version, lambda plan, person: edited(plan, edits, person))


def _change(user: User, plan_id: str, version: Version, change: Change) -> Answer[ChangedPlan]:
    known = deps()
    person = profile_of(known.people, user)
    with known.database.transaction(user) as connection:
        stored = locked(connection, user, UUID(plan_id), version)
        plan = change(stored.plan, person)
        view = known.plans.revise(connection, user, stored, NewRevision(plan, BY_USER, "edited", ""))
    return Answer(ChangedPlan(plan=view, warnings=warnings(plan, person)), version=view.revision)


@bp.get("/v1/plans/<uuid:plan_id>/revisions")
@endpoint(raises=(NotFound,))
def list_revisions(user: User, plan_id: str, query: RevisionsQuery) -> RevisionList:
    """Return a plan's revisions, the newest first."""
    return deps().plans.revisions(user, UUID(plan_id), query.before, query.most)


@bp.get("/v1/plans/<uuid:plan_id>/revisions/<int:number>")
@endpoint(raises=(NotFound,))
def get_revision(user: User, plan_id: str, number: int) -> RevisionContent:
    """Return one revision, with the plan as it was then."""
    return deps().plans.revision(user, UUID(plan_id), number).content


@bp.get("/v1/plans/<uuid:plan_id>/diff")
@endpoint(raises=(NotFound,))
def compare_revisions(user: User, plan_id: str, query: DiffQuery) -> DiffView:
    """Return how one revision of a plan differs from another."""
    plans, revisions = deps().plans, (query.from_revision, query.to_revision)
    one, other = (plans.revision(user, UUID(plan_id), number).plan for number in revisions)
    return DiffView(from_revision=revisions[0], to_revision=revisions[1], diff=diff(one, other))


@bp.post("/v1/plans/<uuid:plan_id>:restore")
@endpoint(raises=(NotFound, Conflict, Stale))
def restore_revision(
    user: User, plan_id: str, body: RestoreRequest, version: Version, receipt: Receipt
) -> Answer[ChangedPlan]:
    """Have an earlier revision again, as a new one; what health rules out by now does not come back."""
    known = deps()
    person = profile_of(known.people, user)
    earlier = known.plans.revision(user, UUID(plan_id), body.revision)

    def make(connection: Connection) -> Answer[ChangedPlan]:
        stored = locked(connection, user, UUID(plan_id), version)
        plan = restored(stored.plan, earlier.plan, person)
        note = f"revision {body.revision} again"
        view = known.plans.revise(connection, user, stored, NewRevision(plan, earlier.told, "restored", note))
        return Answer(ChangedPlan(plan=view, warnings=warnings(plan, person)), 200, view.revision)

    return once(known, user, receipt, make)


@bp.post("/v1/plans/<uuid:plan_id>:modify")
@endpoint(status=201, raises=(NotFound, Conflict))
def propose_change(user: User, plan_id: str, body: ModifyRequest, receipt: Receipt) -> Answer[ProposalView]:
    """Ask for a change in your own words; what comes back is a proposal, edit by edit, and nothing is changed yet."""
    known = deps()
    given: Answer[ProposalView] | None = before(known, user, receipt)
    if given is not None:
        return given
    stored, proposal = changed(known, user, UUID(plan_id), body.message, request_id())

    def make(connection: Connection) -> Answer[ProposalView]:
        view = known.proposals.keep(connection, user, uuid4(), stored, proposal)
        return Answer(view, 201, view.version)

    return once(known, user, receipt, make)


@bp.get("/v1/plans/<uuid:plan_id>/proposals")
@endpoint(raises=(NotFound,))
def list_proposals(user: User, plan_id: str, query: MostQuery) -> ProposalList:
    """Return a plan's proposals, the newest first."""
    return deps().proposals.of_plan(user, UUID(plan_id), query.most)


@bp.get("/v1/plans/proposals/<uuid:proposal_id>")
@endpoint(raises=(NotFound,))
def get_proposal(user: User, proposal_id: str) -> Answer[ProposalView]:
    """Return one proposal."""
    view = deps().proposals.get(user, UUID(proposal_id))
    return Answer(view, version=view.version)


@bp.post("/v1/plans/proposals/<uuid:proposal_id>:decide")
@endpoint(raises=(NotFound, Conflict))
def decide_proposal(user: User, proposal_id: str, body: ChoiceRequest, receipt: Receipt) -> Answer[DecisionView]:
    """Take and leave edits of a proposal; what is taken is in the plan at once, as a new revision."""
    known = deps()
    person = profile_of(known.people, user)

    def deciding(proposal: Proposal, plan: WorkoutPlan) -> tuple[Proposal, WorkoutPlan]:
        return decide(proposal, _choice(body, proposal), plan, person)

    def make(connection: Connection) -> Answer[DecisionView]:
        view = known.proposals.decide(connection, user, UUID(proposal_id), deciding)
        return Answer(view, 200, view.proposal.version)

    return once(known, user, receipt, make)


def _choice(body: ChoiceRequest, proposal: Proposal) -> Choice:
    if body.all is None:
        return Choice(accept=body.accept, reject=body.reject)
    return whole(proposal, "accepted" if body.all == "accept" else "rejected")
