"""Training log: what a person did, ate, slept and weighed, and what a coach reads out of it.

A log has hundreds of entries. They are plain dataclasses, which are made, validated and written
several times faster than models; frozen ones would take four times as long to make. Who reads only
a few numbers out of a log takes its line as a `LogLine`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypedDict

from shared.coach.plan import WorkoutPlan
from shared.frozen import Frozen

LoggedSet = tuple[float, int, int]
"""load_kg (0 where none), reps in the exercise's unit, RIR."""

Trend = Literal["improving", "plateau", "declining"]


@dataclass
class LoggedExercise:
    """The working sets of one exercise in one session, in order."""

    exercise: str
    sets: tuple[LoggedSet, ...]


@dataclass
class Session:
    """One workout that took place."""

    on: date
    day: str
    """The name of the plan's day."""
    minutes: int
    exercises: tuple[LoggedExercise, ...]


@dataclass
class Weighing:
    """A body weight, with body fat where the scale gave one."""

    on: date
    weight_kg: float
    body_fat_pct: float | None = None


@dataclass
class DailyLog:
    """What was eaten and slept on a day; people forget some days."""

    on: date
    kcal: int
    sleep_h: float


class PersonLog(Frozen):
    """One person's plan and the weeks they trained by it, oldest first."""

    user_id: str
    plan: WorkoutPlan
    planned_sessions: int
    sessions: tuple[Session, ...]
    daily: tuple[DailyLog, ...]
    weighings: tuple[Weighing, ...]


class Dated(TypedDict):
    """An entry of a log, with its day in ISO format."""

    on: str


class ExerciseLine(TypedDict):
    """A LoggedExercise as JSON."""

    exercise: str
    sets: list[LoggedSet]


class SessionLine(Dated):
    """What is read of a Session as JSON."""

    exercises: list[ExerciseLine]


class WeighingLine(Dated):
    """What is read of a Weighing as JSON."""

    weight_kg: float


class DailyLine(Dated):
    """A DailyLog as JSON."""

    kcal: int
    sleep_h: float


class LogLine(TypedDict):
    """A PersonLog as JSON, parsed but not validated: for what our own code has written."""

    plan: dict[str, object]
    planned_sessions: int
    sessions: list[SessionLine]
    daily: list[DailyLine]
    weighings: list[WeighingLine]


class LiftTrend(Frozen):
    """How an exercise's estimated one-repetition maximum moved over the log."""

    exercise: str
    first_e1rm_kg: float
    last_e1rm_kg: float
    trend: Trend


class TrainingSummary(Frozen):
    """What a coach reads out of a log; goes into prompts, so it is small."""

    weeks: int
    planned_sessions: int
    done_sessions: int
    sets_per_week: float
    avg_rir: float | None
    lifts: tuple[LiftTrend, ...]
    """Up to three, the most trained first."""
    avg_sleep_h: float | None
    avg_kcal: int | None
    weight_change_kg: float | None
