"""Schemas: what the plan service's bodies hold, both ways; its OpenAPI document is made of these."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from services.plan.adapting import Signal
from services.plan.answers import Writer
from services.plan.catalogue_ids import ExerciseId
from services.plan.changing import EditedPlan, Warned
from services.plan.proposing import Decision, ProposalKind, ProposalStatus
from services.plan.requests import Message, PlanWish
from services.plan.revising import PlanDiff
from shared.bodies import Body, Line
from shared.coach.plan import Edit, PlanDay, PlannedExercise, Reps, RestS, Rir, Sets
from shared.coach.vocabulary import Escalation, Goal, Weekday
from shared.frozen import Frozen

PlanStatus = Literal["active", "inactive", "archived"]
JobStatus = Literal["queued", "running", "completed", "failed"]
Cause = Literal["created", "edited", "proposal", "restored"]
Place = Annotated[int, Field(ge=0, le=99)]
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


class LineBody(Body):
    """One line of a day."""

    exercise: ExerciseId
    sets: Sets
    reps: Reps
    rir: Rir
    rest_s: RestS

    def planned(self) -> PlannedExercise:
        """Return it as the domain engine has it."""
        return PlannedExercise(self.exercise, self.sets, self.reps, self.rir, self.rest_s)


class DayBody(Body):
    """One session."""

    weekday: Weekday
    name: Annotated[Line, Field(max_length=40)]
    exercises: Annotated[tuple[LineBody, ...], Field(min_length=1, max_length=12)]


class _EditBody(Body):
    day: Weekday


class SwapBody(_EditBody):
    """Put another exercise in an exercise's place, with the same sets, reps, RIR and rest."""

    op: Literal["swap"]
    exercise: ExerciseId
    new: ExerciseId


class AddBody(_EditBody):
    """Add an exercise at the end of a day."""

    op: Literal["add"]
    new: LineBody


class RemoveBody(_EditBody):
    """Take an exercise out of a day; without one, take the day out of the week."""

    op: Literal["remove"]
    exercise: ExerciseId | None = None


class ChangeBody(_EditBody):
    """Set one number of an exercise; without one, of all the day's working sets."""

    op: Literal["sets", "reps", "rir", "rest"]
    exercise: ExerciseId | None = None
    value: Annotated[int, Field(ge=0, le=300)]


class MoveBody(_EditBody):
    """Train a day's session on another, free day of the week."""

    op: Literal["move"]
    to: Weekday


EditBody = Annotated[SwapBody | AddBody | RemoveBody | ChangeBody | MoveBody, Field(discriminator="op")]


class PlanRequest(PlanWish):
    """A new plan, please. It becomes the active one, unless `activate` is false."""

    activate: bool = True


class EditRequest(Body):
    """Edits to make in a plan, in order; each works on what the ones before it left."""

    edits: Annotated[tuple[EditBody, ...], Field(min_length=1, max_length=40)]

    def domain(self) -> tuple[Edit, ...]:
        """Return the edits as the domain engine has them."""
        adapter: TypeAdapter[Edit] = TypeAdapter(Edit)
        why = {"why": "changed by you"}
        return tuple(adapter.validate_python(edit.model_dump() | why) for edit in self.edits)


class RewriteRequest(Body):
    """A plan, whole, in place of the one that is there."""

    name: Annotated[Line, Field(max_length=80)]
    days: Annotated[tuple[DayBody, ...], Field(min_length=1, max_length=7)]

    def domain(self) -> EditedPlan:
        """Return it as the domain engine has it."""
        days = tuple(
            PlanDay(weekday=day.weekday, name=day.name, exercises=tuple(line.planned() for line in day.exercises))
            for day in self.days
        )
        return EditedPlan(name=self.name, days=days)


class ModifyRequest(Body):
    """A wish for change, in the user's words."""

    message: Message


class ChoiceRequest(Body):
    """Which edits of a proposal to take and which to leave, by place, from 0; `all` decides all that are pending."""

    all: Literal["accept", "reject"] | None = None
    accept: Annotated[tuple[Place, ...], Field(max_length=100)] = ()
    reject: Annotated[tuple[Place, ...], Field(max_length=100)] = ()


class RestoreRequest(Body):
    """The revision to have again."""

    revision: Annotated[int, Field(ge=1, le=1_000_000)]


class CoachRequest(Body):
    """A question to the coach."""

    message: Message


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

    before: int
    after: int
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


class PageQuery(Body):
    """A part of a list."""

    before: Annotated[str, Field(pattern=r"^[0-9]{1,16}~[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None
    """The `next` of the part before."""
    most: Annotated[int, Field(ge=1, le=100)] = 20
    archived: bool = False
    """Archived plans too."""


class RevisionsQuery(Body):
    """A part of a plan's revisions: the newest before a number."""

    before: Annotated[int, Field(ge=1, le=2_000_000_000)] = 2_000_000_000
    most: Annotated[int, Field(ge=1, le=100)] = 20


class MostQuery(Body):
    """How many, the newest first."""

    most: Annotated[int, Field(ge=1, le=100)] = 20


class DiffQuery(Body):
    """Two revisions to compare."""

    before: Annotated[int, Field(ge=1, le=1_000_000)]
    after: Annotated[int, Field(ge=1, le=1_000_000)]


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
