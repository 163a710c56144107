"""Schemas: what is answered: workouts, days and targets, and what is read out of them."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from shared.coach.vocabulary import Weekday
from shared.frozen import Frozen

TargetKind = Literal["calories", "sleep", "sessions", "weight"]
Method = Literal["formula", "ai", "manual"]


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
    adapter_sha256: str | None
    status: str
    reason: str | None
    prompt: str | None
    response: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_ms: float
    ttft_ms: float | None
    cost_usd: float | None
    safety_flags: tuple[str, ...]


class Interactions(Page):
    """A page of interactions, the latest first."""

    interactions: tuple[Interaction, ...]


class LogExport(Frozen):
    """All that this service has of a user."""

    workouts: tuple[Workout, ...]
    days: tuple[DayEntry, ...]
    targets: tuple[Target, ...]
    interactions: tuple[Interaction, ...]
    made_at: datetime
