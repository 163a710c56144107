"""Proposals: what was suggested for a plan and what came of it, in Postgres; decided exactly once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Connection, text

from services.plan.answers import Writer
from services.plan.plan_rows import NewRevision, StoredPlan, locked
from services.plan.proposing import Proposal, ProposalKind, ProposalStatus, ProposedEdit
from services.plan.repository import Plans
from services.plan.schemas import DecisionView, ProposalList, ProposalView
from services.plan.views import Told, proposal_view
from shared.coach.plan import WorkoutPlan
from shared.database import Database
from shared.errors import Conflict, NotFound
from shared.statements import Statement

_COLUMNS: Final = (
    "proposal_id, plan_id, status, kind, request, edits::text, told::text, based_on_revision, version,"
    " created_at, updated_at"
)
_GET: Final = Statement(
    f"SELECT {_COLUMNS} FROM plan.proposals WHERE user_id = :user_id AND proposal_id = :proposal_id"
)
_LIST: Final = Statement(
    f"SELECT {_COLUMNS} FROM plan.proposals WHERE user_id = :user_id AND plan_id = :plan_id"
    " ORDER BY created_at DESC, proposal_id DESC LIMIT :most"
)

Deciding = Callable[[Proposal, WorkoutPlan], tuple[Proposal, WorkoutPlan]]


class Proposals:
    """The proposals of all users; raises NotFound for what is not theirs."""

    def __init__(self, database: Database, plans: Plans) -> None:
        self._database = database
        self._plans = plans

    def get(self, user_id: str, proposal_id: UUID) -> ProposalView:
        """Return one proposal."""
        rows = self._database.run(user_id, _GET(user_id=user_id, proposal_id=str(proposal_id)))[0]
        if not rows:
            raise _no_proposal(proposal_id)
        return _view(rows[0])

    def of_plan(self, user_id: str, plan_id: UUID, most: int) -> ProposalList:
        """Return a plan's proposals, the newest first."""
        rows = self._database.run(user_id, _LIST(user_id=user_id, plan_id=str(plan_id), most=most))[0]
        if not rows:
            self._plans.require(user_id, plan_id)
        return ProposalList(proposals=tuple(map(_view, rows)))

    def keep(
        self, connection: Connection, user_id: str, proposal_id: UUID, plan: StoredPlan, proposal: Proposal
    ) -> ProposalView:
        """Keep a proposal within a transaction; one without edits is decided at once."""
        status = "open" if proposal.edits else "decided"
        connection.execute(
            text(
                "INSERT INTO plan.proposals (proposal_id, plan_id, user_id, status, kind, request, edits, told,"
                " based_on_revision, version, created_at, updated_at)"
                " VALUES (:proposal_id, :plan_id, :user_id, :status, :kind, :request, CAST(:edits AS jsonb),"
                " CAST(:told AS jsonb), :revision, 1, now(), now())"
                " ON CONFLICT (proposal_id) DO NOTHING"
            ),
            {
                "proposal_id": proposal_id,
                "plan_id": plan.plan_id,
                "user_id": user_id,
                "status": status,
                "kind": proposal.kind,
                "request": proposal.request,
                "edits": _edits_json(proposal),
                "told": _told(proposal).model_dump_json(),
                "revision": plan.revision,
            },
        )
        return _view(_locked(connection, user_id, proposal_id))

    def decide(self, connection: Connection, user_id: str, proposal_id: UUID, deciding: Deciding) -> DecisionView:
        """Decide a proposal within a transaction, and change its plan by what was accepted.

        Raises Conflict where it is decided.
        """
        row = _locked(connection, user_id, proposal_id)
        before = _view(row)
        if before.status != "open":
            raise Conflict("the proposal is decided already")
        stored = locked(connection, user_id, before.plan_id, None)
        decided, plan = deciding(_proposal(row), stored.plan)
        status: ProposalStatus = "open" if decided.pending else "decided"
        _update(connection, user_id, proposal_id, decided, status)
        if plan != stored.plan:
            new = NewRevision(plan, _told(decided), "proposal", decided.request[:200])
            view = self._plans.revise(connection, user_id, stored, new)
        else:
            view = self._plans.view(connection, user_id, stored.plan_id)
        return DecisionView(proposal=_view(_locked(connection, user_id, proposal_id)), plan=view)


def _update(
    connection: Connection, user_id: str, proposal_id: UUID, proposal: Proposal, status: ProposalStatus
) -> None:
    connection.execute(
        text(
            "UPDATE plan.proposals SET edits = CAST(:edits AS jsonb), status = :status, version = version + 1,"
            " updated_at = now() WHERE user_id = :user_id AND proposal_id = :proposal_id"
        ),
        {"edits": _edits_json(proposal), "status": status, "user_id": user_id, "proposal_id": proposal_id},
    )


def _locked(connection: Connection, user_id: str, proposal_id: UUID) -> Any:
    row = connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM plan.proposals WHERE user_id = :user_id AND proposal_id = :proposal_id FOR UPDATE"
        ),
        {"user_id": user_id, "proposal_id": proposal_id},
    ).fetchone()
    if row is None:
        raise _no_proposal(proposal_id)
    return row


def _proposal(row: Any) -> Proposal:
    kind: ProposalKind = row[3]
    told = Told.model_validate_json(row[6])
    return Proposal(
        kind=kind,
        request=row[4],
        edits=tuple(ProposedEdit.model_validate(one) for one in orjson.loads(row[5])),
        explanation=told.explanation,
        safety_notes=told.safety_notes,
        escalation=told.escalation,
        writer=told.writer,
    )


def _view(row: Any) -> ProposalView:
    created_at: datetime = row[9]
    return proposal_view(
        UUID(str(row[0])), UUID(str(row[1])), row[2], _proposal(row), row[7], row[8], created_at, row[10]
    )


def _edits_json(proposal: Proposal) -> str:
    return orjson.dumps([one.model_dump(mode="json") for one in proposal.edits]).decode()


def _told(proposal: Proposal) -> Told:
    writer: Writer = proposal.writer
    return Told(
        explanation=proposal.explanation,
        safety_notes=proposal.safety_notes,
        escalation=proposal.escalation,
        writer=writer,
    )


def _no_proposal(proposal_id: UUID) -> NotFound:
    return NotFound(f"there is no proposal {proposal_id}")
