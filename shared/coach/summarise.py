"""Summarise: what a coach reads out of a training log, in a dozen numbers."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from shared.coach.catalogue import EXERCISES
from shared.coach.training_log import Dated, LiftTrend, LoggedSet, LogLine, TrainingSummary, Trend

IMPROVING_FROM = 1.025
"""Last third over first third of the log; a change below measurement noise is no trend."""
DECLINING_FROM = 0.975
LIFTS = 3
SESSIONS = 3
"""An exercise done less often than this has no trend."""

_LIFTED: Final = frozenset(
    exercise.id for exercise in EXERCISES.values() if exercise.load_ratio is not None and exercise.unit == "reps"
)
"""Exercises that have a one-repetition maximum: counted in reps and done with a load."""

Times = list[list[LoggedSet]]
"""The sets of one exercise, time after time."""


def summarise(log: LogLine) -> TrainingSummary:
    """Return the summary of a log; what was never logged is None."""
    done: dict[str, Times] = {}
    for session in log["sessions"]:
        for entry in session["exercises"]:
            done.setdefault(entry["exercise"], []).append(entry["sets"])
    reserves = [rir for times in done.values() for sets in times for _, _, rir in sets]
    weeks = _weeks(log)
    return TrainingSummary(
        weeks=weeks,
        planned_sessions=log["planned_sessions"],
        done_sessions=len(log["sessions"]),
        sets_per_week=round(len(reserves) / weeks, 1),
        avg_rir=_mean(reserves, 1),
        lifts=_lift_trends(done),
        avg_sleep_h=_mean([day["sleep_h"] for day in log["daily"]], 1),
        avg_kcal=_whole(_mean([day["kcal"] for day in log["daily"]], 0)),
        weight_change_kg=_weight_change_kg(log),
    )


def _lift_trends(done: dict[str, Times]) -> tuple[LiftTrend, ...]:
    """Return the trends of the lifts that were trained most, by sets."""
    trained = sorted([(-sum(map(len, times)), lift) for lift, times in done.items() if lift in _LIFTED])
    bests = [(lift, _bests_kg(done[lift])) for _, lift in trained[:LIFTS]]
    return tuple([_lift_trend(lift, best) for lift, best in bests if len(best) >= SESSIONS])


def _bests_kg(times: Times) -> list[float]:
    """Return the highest estimated maximum of each time that a load was lifted."""
    return [max(map(estimated_1rm_kg, sets)) for sets in times if sets[0][0] > 0]


def estimated_1rm_kg(one: LoggedSet) -> float:
    """Return what could have been lifted once, by Epley, counting the reps left in reserve."""
    load_kg, reps, rir = one
    return load_kg * (1 + (reps + rir) / 30)


def _lift_trend(exercise: str, bests: Sequence[float]) -> LiftTrend:
    third = max(1, len(bests) // 3)
    first, last = sum(bests[:third]) / third, sum(bests[-third:]) / third
    trend = _trend(last / first)
    return LiftTrend(exercise=exercise, first_e1rm_kg=round(first, 1), last_e1rm_kg=round(last, 1), trend=trend)


def _trend(ratio: float) -> Trend:
    if ratio >= IMPROVING_FROM:
        return "improving"
    return "declining" if ratio <= DECLINING_FROM else "plateau"


def _weeks(log: LogLine) -> int:
    """Return how many weeks the log spans, at least one."""
    logged: tuple[Sequence[Dated], ...] = (log["sessions"], log["daily"], log["weighings"])
    days = [entry["on"] for entries in logged if entries for entry in (entries[0], entries[-1])]
    if not days:
        return 1
    span = date.fromisoformat(max(days)) - date.fromisoformat(min(days))
    return max(1, round((span.days + 1) / 7))


def _weight_change_kg(log: LogLine) -> float | None:
    weighings = log["weighings"]
    return round(weighings[-1]["weight_kg"] - weighings[0]["weight_kg"], 1) if len(weighings) > 1 else None


def _mean(values: Sequence[float], digits: int) -> float | None:
    return round(sum(values) / len(values), digits) if values else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
