"""Views: plans and proposals as the API shows them; pure."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from services.plan.answers import Writer
from services.plan.proposing import Proposal, ProposalStatus
from services.plan.schemas import DayView, EditView, ExerciseView, PlanStatus, PlanView, ProposalView
from shared.coach.catalogue import EXERCISES
from shared.coach.effort import session_seconds
from shared.coach.plan import Edit, PlanDay, PlannedExercise, WorkoutPlan
from shared.coach.vocabulary import Escalation, Weekday
from shared.frozen import Frozen

DAY_NAMES: dict[Weekday, str] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


class Told(Frozen):
    """What goes with a plan: why it is as it is, what to mind, and who wrote it."""

    explanation: str
    safety_notes: tuple[str, ...]
    escalation: Escalation
    writer: Writer


def plan_view(
    plan_id: UUID,
    status: PlanStatus,
    revision: int,
    plan: WorkoutPlan,
    told: Told,
    created_at: datetime,
    updated_at: datetime,
) -> PlanView:
    """Return a plan as the API shows it."""
    return PlanView(
        status=status,
        plan_id=plan_id,
        revision=revision,
        name=plan.name,
        goal=plan.goal,
        days=tuple(map(day_view, plan.days)),
        explanation=told.explanation,
        safety_notes=told.safety_notes,
        escalation=told.escalation,
        writer=told.writer,
        created_at=created_at,
        updated_at=updated_at,
    )


def day_view(day: PlanDay) -> DayView:
    """Return a day as the API shows it."""
    return DayView(
        weekday=day.weekday,
        name=day.name,
        minutes=round(session_seconds(day) / 60),
        exercises=tuple(map(_exercise_view, day.exercises)),
    )


@lru_cache(maxsize=4096)
def _exercise_view(line: PlannedExercise) -> ExerciseView:
    exercise = EXERCISES.get(line.exercise)
    return ExerciseView(
        exercise=line.exercise,
        name=exercise.name if exercise else line.exercise,
        sets=line.sets,
        reps=line.reps,
        unit=exercise.unit if exercise else "reps",
        rir=line.rir,
        rest_s=line.rest_s,
    )


def proposal_view(
    proposal_id: UUID,
    plan_id: UUID,
    status: ProposalStatus,
    proposal: Proposal,
    based_on_revision: int,
    version: int,
    created_at: datetime,
    updated_at: datetime,
) -> ProposalView:
    """Return a proposal as the API shows it."""
    edits = tuple(
        EditView(place=place, edit=one.edit, text=edit_text(one.edit), why=one.edit.why, decision=one.decision)
        for place, one in enumerate(proposal.edits)
    )
    return ProposalView(
        proposal_id=proposal_id,
        plan_id=plan_id,
        kind=proposal.kind,
        status=status,
        request=proposal.request,
        edits=edits,
        explanation=proposal.explanation,
        safety_notes=proposal.safety_notes,
        escalation=proposal.escalation,
        writer=proposal.writer,
        based_on_revision=based_on_revision,
        version=version,
        created_at=created_at,
        updated_at=updated_at,
    )


def edit_text(edit: Edit) -> str:
    """Return what an edit does, in words."""
    day = DAY_NAMES[edit.day]
    match edit.op:
        case "swap":
            return f"{day}: {_name(edit.new)} instead of {_name(edit.exercise)}"
        case "add":
            line = _exercise_view(edit.new)
            return (
                f"{day}: add {line.name}, {line.sets} × {line.reps} {line.unit}, RIR {line.rir}, {line.rest_s} s rest"
            )
        case "remove":
            return f"{day}: leave out {_name(edit.exercise)}" if edit.exercise else f"no session on {day}"
        case "move":
            return f"{day}'s session moves to {DAY_NAMES[edit.to]}"
    what = {"sets": "sets", "reps": "reps", "rir": "reps in reserve", "rest": "seconds of rest"}[edit.op]
    return f"{day}: {_name(edit.exercise) if edit.exercise else 'every working set'}: {edit.value} {what}"


def _name(exercise: str) -> str:
    return EXERCISES[exercise].name if exercise in EXERCISES else exercise
