"""Plan: a week of training, the edits that change it, and the answers that carry either.

One model with many uses: what the planner makes, the checker checks, the wire form spells,
the dataset holds and the services return. Exercises stand by catalogue id.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from shared.coach.vocabulary import Escalation, Goal, Weekday
from shared.frozen import Frozen

Sets = Annotated[int, Field(ge=1, le=6)]
Reps = Annotated[int, Field(ge=1, le=120)]
Rir = Annotated[int, Field(ge=0, le=5)]
RestS = Annotated[int, Field(ge=0, le=300)]


@dataclass(frozen=True, slots=True)
class PlannedExercise:
    """One line of a day. `reps` counts in the exercise's own unit: reps, seconds or minutes.

    A dataclass, since its attributes, which are read more often than any, are so in half the time; it is
    validated wherever a model of it is.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    exercise: str
    sets: Sets
    reps: Reps
    rir: Rir
    """Reps in reserve at the end of a set; RPE is 10 minus this."""
    rest_s: RestS


@lru_cache(maxsize=4096)
def planned(exercise: str, sets: int, reps: int, rir: int, rest_s: int) -> PlannedExercise:
    """Return a line whose numbers are known to be in bounds; equal lines are one object."""
    return PlannedExercise(exercise=exercise, sets=sets, reps=reps, rir=rir, rest_s=rest_s)


class PlanDay(Frozen):
    """One session, on a day of the week, named after what it trains."""

    weekday: Weekday
    name: Annotated[str, Field(min_length=1, max_length=40)]
    exercises: Annotated[tuple[PlannedExercise, ...], Field(min_length=1, max_length=12)]


class WorkoutPlan(Frozen):
    """A week that repeats. Days in weekday order, each weekday at most once."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    goal: Goal
    days: Annotated[tuple[PlanDay, ...], Field(min_length=1, max_length=7)]


class _Edit(Frozen):
    day: Weekday
    why: Annotated[str, Field(min_length=1, max_length=240)]


class Swap(_Edit):
    """Put another exercise in an exercise's place, with the same sets, reps, RIR and rest."""

    op: Literal["swap"] = "swap"
    exercise: str
    new: str


class Add(_Edit):
    """Add an exercise at the end of a day."""

    op: Literal["add"] = "add"
    new: PlannedExercise


class Remove(_Edit):
    """Take an exercise out of a day; without one, take the day out of the week."""

    op: Literal["remove"] = "remove"
    exercise: str | None = None


class Change(_Edit):
    """Set one number of an exercise: its sets, reps, RIR, or rest in seconds.

    Without an exercise, that of all the day's working sets: everything but mobility and steady cardio.
    """

    op: Literal["sets", "reps", "rir", "rest"]
    exercise: str | None = None
    value: Annotated[int, Field(ge=0, le=300)]


class Move(_Edit):
    """Train a day's session on another, free day of the week."""

    op: Literal["move"] = "move"
    to: Weekday


Edit = Annotated[Swap | Add | Remove | Change | Move, Field(discriminator="op")]

Explanation = Annotated[str, Field(min_length=1, max_length=1200)]
SafetyNotes = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=300)], ...], Field(max_length=8)]


class PlanAnswer(Frozen):
    """The answer to plan_creation. Without a plan only where training must wait (emergency)."""

    kind: Literal["plan"] = "plan"
    escalation: Escalation
    plan: WorkoutPlan | None
    explanation: Explanation
    safety_notes: SafetyNotes = ()


class EditsAnswer(Frozen):
    """The answer to plan_modification, safety_adjustment and progress_adaptation."""

    kind: Literal["edits"] = "edits"
    escalation: Escalation
    edits: Annotated[tuple[Edit, ...], Field(max_length=100)]
    explanation: Explanation
    safety_notes: SafetyNotes = ()


class ChatAnswer(Frozen):
    """The answer to coach_chat."""

    kind: Literal["chat"] = "chat"
    escalation: Escalation
    reply: Annotated[str, Field(min_length=1, max_length=2000)]


Answer = PlanAnswer | EditsAnswer | ChatAnswer
