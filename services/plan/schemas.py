"""Schemas: what the plan service answers with; what it is sent stands in `bodies`."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from services.plan.adapting import Signal
from services.plan.answers import Writer
from services.plan.bodies import Place
from services.plan.changing import Warned
from services.plan.proposing import Decision, ProposalKind, ProposalStatus
from services.plan.revising import PlanDiff
from shared.coach.plan import Edit, Reps, RestS, Rir, Sets
from shared.coach.vocabulary import Escalation, Goal, Weekday
from shared.frozen import Frozen

PlanStatus = Literal["active", "inactive", "archived"]
JobStatus = Literal["queued", "running", "completed", "failed"]
Cause = Literal["created", "edited", "proposal", "restored"]
Unit = Literal["reps", "seconds", "minutes"]


class ExerciseView(Frozen):
    """One line of a day, with what an app shows beside the catalogue id."""

    exercise: str
    name: str
    sets: Sets
    reps: Reps
    unit: Unit
    """What `reps` counts."""
    rir: Rir
    rest_s: RestS


class DayView(Frozen):
    """One session."""

    weekday: Weekday
    name: str
    minutes: int
    """About how long it takes, warm-up included."""
    exercises: tuple[ExerciseView, ...]


class PlanView(Frozen):
    """A plan as it is now."""

    status: PlanStatus
    plan_id: UUID
    revision: Annotated[int, Field(ge=1)]
    name: str
    goal: Goal
    days: tuple[DayView, ...]
    explanation: str
    safety_notes: tuple[str, ...]
    escalation: Escalation
    writer: Writer
    """Who wrote this revision: a model version, the rule-based coach, triage, or the user."""
    created_at: datetime
    updated_at: datetime


class PlanSummary(Frozen):
    """A plan in a list."""

    plan_id: UUID
    status: PlanStatus
    revision: int
    name: str
    goal: Goal
    created_at: datetime
    updated_at: datetime


class PlanList(Frozen):
    """Plans, the newest first; `next` continues the list where there is more."""

    plans: tuple[PlanSummary, ...]
    next: str | None = None


class ChangedPlan(Frozen):
    """A plan after a change of the user's own, and what a coach would change about it."""

    plan: PlanView
    warnings: tuple[Warned, ...]


class EditView(Frozen):
    """An edit of a proposal, in words too."""

    place: Place
    edit: Edit
    text: str
    """What it does, in words: "swap Back Squat for Leg Press on Monday"."""
    why: str
    decision: Decision


class ProposalView(Frozen):
    """What a coach suggests, edit by edit, and what came of it."""

    proposal_id: UUID
    plan_id: UUID
    kind: ProposalKind
    status: ProposalStatus
    request: str
    edits: tuple[EditView, ...]
    explanation: str
    safety_notes: tuple[str, ...]
    escalation: Escalation
    writer: Writer
    based_on_revision: int
    version: int
    """Counts decisions; the ETag."""
    created_at: datetime
    updated_at: datetime


class ProposalList(Frozen):
    """Proposals, the newest first."""

    proposals: tuple[ProposalView, ...]


class DecisionView(Frozen):
    """A proposal after a decision, and the plan that came of it."""

    proposal: ProposalView
    plan: PlanView


class AdaptationView(Frozen):
    """What the log says about next week, and the edits that follow; no proposal where nothing has to change."""

    signals: tuple[Signal, ...]
    proposal: ProposalView | None


class RevisionView(Frozen):
    """One revision of a plan."""

    revision: int
    cause: Cause
    note: str
    writer: Writer
    created_at: datetime


class RevisionList(Frozen):
    """A plan's revisions, the newest first."""

    revisions: tuple[RevisionView, ...]


class RevisionContent(RevisionView):
    """One revision with the plan as it was then."""

    plan: PlanView


class DiffView(Frozen):
    """How one revision differs from another."""

    from_revision: int
    to_revision: int
    diff: PlanDiff


class ReplyView(Frozen):
    """What the coach says."""

    reply: str
    escalation: Escalation
    writer: Writer


class EscalationView(Frozen):
    """Instead of a plan, where training has to wait."""

    escalation: Escalation
    message: str
    safety_notes: tuple[str, ...]
    writer: Writer


class StreamedDay(Frozen):
    """Event `day`: a day of the plan is there. Days before an `error` do not count."""

    place: int
    day: DayView


class StreamedText(Frozen):
    """Event `text`: more of the reply."""

    text: str


class StreamedError(Frozen):
    """Event `error`: what was told so far does not count; unless it is final, it begins again."""

    code: str
    message: str
    final: bool


class JobList(Frozen):
    """Jobs, the newest first."""

    jobs: tuple["JobView", ...]


class JobView(Frozen):
    """A plan being made."""

    job_id: UUID
    status: JobStatus
    days_written: int
    """How far it is."""
    plan_id: UUID | None
    escalation: Escalation | None
    message: str | None
    """What to tell the user where there is no plan: an emergency, or why it failed."""
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
