"""Bodies: what clients send: workouts, days and targets, and which of them to list. Read strictly."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from services.logging.schemas import Method
from shared.bodies import Body, Line, PastDay, PastMoment, Slug, Text
from shared.coach.vocabulary import Weekday

Limit = Annotated[int, Field(ge=1, le=100)]
Cursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,120}$")]

LoadKg = Annotated[float, Field(ge=0, le=1000)]
Reps = Annotated[int, Field(ge=0, le=1000)]
Rir = Annotated[int, Field(ge=0, le=10)]


class NewWorkout(Body):
    """A workout that begins, or that was done and is written down later."""

    name: Line = "Workout"
    plan_id: UUID | None = None
    plan_day: Weekday | None = None
    started_at: PastMoment | None = None
    """With the offset of where it was: its date is the workout's day. Now, in UTC, where it is not given."""
    notes: Text = ""


class WorkoutChange(Body):
    """What is to change; what is not given stays."""

    name: Line | None = None
    notes: Text | None = None
    started_at: PastMoment | None = None
    """With the offset of where it was: its date becomes the workout's day."""
    ended_at: PastMoment | None = None


class Finish(Body):
    """The end of a workout: now, where no time is given."""

    ended_at: PastMoment | None = None


class NewExercise(Body):
    """An exercise of a workout."""

    exercise: Slug
    """Its id in the catalogue."""
    position: Annotated[int, Field(ge=1, le=50)]
    notes: Text = ""


class ExerciseChange(Body):
    """What is to change; what is not given stays."""

    position: Annotated[int | None, Field(ge=1, le=50)] = None
    notes: Text | None = None


class NewSet(Body):
    """A set of an exercise."""

    entry_id: UUID
    number: Annotated[int, Field(ge=1, le=99)]
    reps: Reps
    load_kg: LoadKg = 0
    rir: Rir = 2
    is_warmup: bool = False
    completed_at: PastMoment | None = None


class SetChange(Body):
    """What is to change; what is not given stays."""

    reps: Reps | None = None
    load_kg: LoadKg | None = None
    rir: Rir | None = None
    is_warmup: bool | None = None


class _Range(Body):
    since: date | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError("since must not be after until")
        return self


class WorkoutsQuery(_Range):
    """Which workouts."""

    limit: Limit = 20
    cursor: Cursor | None = None


class DayChange(Body):
    """What was measured on a day; what is not given stays as it was logged before."""

    sleep_h: Annotated[float | None, Field(ge=0, le=24)] = None
    kcal: Annotated[int | None, Field(ge=0, le=10_000)] = None
    weight_kg: Annotated[float | None, Field(ge=20, le=350)] = None
    body_fat_pct: Annotated[float | None, Field(ge=2, le=75)] = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set or all(value is None for value in self.model_dump().values()):
            raise ValueError("give at least one of sleep_h, kcal, weight_kg, body_fat_pct")
        return self


class DaysQuery(_Range):
    """Which days."""

    limit: Limit = 30
    cursor: Cursor | None = None


class DayPath(Body):
    """A day in a path."""

    day: PastDay


class NewTarget(Body):
    """What to aim for from a day on; it takes the place of the active one of its kind."""

    value: Annotated[float, Field(gt=0, le=10_000)]
    """kcal a day, hours a night, sessions a week, or kg."""
    method: Method = "manual"
    effective_from: Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))] | None = None
    notes: Text = ""


class TargetChange(Body):
    """What is to change; what is not given stays."""

    effective_to: Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))] | None = None
    notes: Text | None = None


class InteractionsQuery(Body):
    """Which interactions."""

    limit: Limit = 20
    cursor: Cursor | None = None
