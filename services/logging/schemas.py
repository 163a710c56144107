"""Schemas: what goes over HTTP: workouts, days, targets, and what is read out of them."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from shared.bodies import Body, Line, PastDay, PastMoment, Slug, Text
from shared.coach.vocabulary import Weekday
from shared.frozen import Frozen

Id = Annotated[UUID, Field(description="An id that this service gave.")]
TargetKind = Literal["calories", "sleep", "sessions", "weight"]
Method = Literal["formula", "ai", "manual"]
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


class WorkoutSet(Frozen):
    """A set as it was logged."""

    set_id: UUID
    workout_id: UUID
    entry_id: UUID
    number: int
    reps: int
    load_kg: float
    rir: int
    is_warmup: bool
    completed_at: AwareDatetime
    version: int


class WorkoutExercise(Frozen):
    """An exercise of a workout, with its sets where they are asked for."""

    entry_id: UUID
    workout_id: UUID
    exercise: str
    position: int
    notes: str
    version: int
    sets: tuple[WorkoutSet, ...] = ()


class Workout(Frozen):
    """A workout, with its exercises where they are asked for."""

    workout_id: UUID
    plan_id: UUID | None
    plan_day: Weekday | None
    name: str
    notes: str
    day: date
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    version: int
    exercises: tuple[WorkoutExercise, ...] = ()


class WorkoutLine(Frozen):
    """A workout in a list."""

    workout_id: UUID
    name: str
    day: date
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    exercises: int
    sets: int
    volume_kg: float


class Page(Frozen):
    """Where the next page begins; none where there is no more."""

    next: str | None


class Workouts(Page):
    """A page of workouts, the latest first."""

    workouts: tuple[WorkoutLine, ...]


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


class DayEntry(Frozen):
    """A day as it was logged."""

    day: date
    sleep_h: float | None
    kcal: int | None
    weight_kg: float | None
    body_fat_pct: float | None
    version: int


class Days(Page):
    """A page of days, the latest first."""

    days: tuple[DayEntry, ...]


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


class Target(Frozen):
    """Something to aim for; active as long as it has no end."""

    target_id: UUID
    kind: TargetKind
    value: float
    method: Method
    notes: str
    effective_from: date
    effective_to: date | None
    version: int


class Targets(Frozen):
    """All of a user's targets, the latest of each kind first."""

    targets: tuple[Target, ...]


class WeekLine(Frozen):
    """A week, from Monday on."""

    week: date
    workouts: int
    sets: int
    volume_kg: float
    avg_rir: float | None


class MuscleLine(Frozen):
    """What a muscle group did this week, and in an average one of the four before. An assisting one counts half."""

    muscle: str
    sets: float
    volume_kg: float
    sets_before: float


class LiftLine(Frozen):
    """How an exercise's estimated one-repetition maximum moves, week by week."""

    exercise: str
    first_e1rm_kg: float
    last_e1rm_kg: float
    trend: Literal["improving", "plateau", "declining"]


class Averages(Frozen):
    """The last seven days, as far as they were logged."""

    sleep_h: float | None
    kcal: float | None
    weight_kg: float | None
    weight_change_kg: float | None
    """Of the last 28 days."""


class Dashboard(Frozen):
    """The last twelve weeks at a glance."""

    today: date
    adherence_pct: int | None
    """Sessions of the last four whole weeks against the target of sessions; None without one."""
    streak_weeks: int
    """Weeks in a row with a workout, up to this one; 52 may be more."""
    weeks: tuple[WeekLine, ...]
    muscles: tuple[MuscleLine, ...]
    lifts: tuple[LiftLine, ...]
    averages: Averages
    targets: dict[TargetKind, float]


class Interaction(Frozen):
    """What somebody asked a model, and what came of it."""

    interaction_id: UUID
    occurred_at: AwareDatetime
    prompt_type: str | None
    model_version: str | None
    base_model: str | None
    status: str
    reason: str | None
    prompt: str | None
    response: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_ms: float
    ttft_ms: float | None
    safety_flags: tuple[str, ...]


class Interactions(Page):
    """A page of interactions, the latest first."""

    interactions: tuple[Interaction, ...]


class InteractionsQuery(Body):
    """Which interactions."""

    limit: Limit = 20
    cursor: Cursor | None = None


class LogExport(Frozen):
    """All that this service has of a user."""

    workouts: tuple[Workout, ...]
    days: tuple[DayEntry, ...]
    targets: tuple[Target, ...]
    interactions: tuple[Interaction, ...]
    made_at: datetime
