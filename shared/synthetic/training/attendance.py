"""Attendance: the days of a log on which a plan asks for a session, and those it took place on."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from random import Random

from shared.coach.plan import PlanDay
from shared.coach.vocabulary import WEEKDAYS

GAP_CHANCE_A_WEEK = 0.05
"""Of a cold, a holiday, or a week of too much work beginning."""
_GAP_DAYS = (4, 11)


def planned_days(days: Sequence[PlanDay], first: date, count: int) -> list[tuple[int, PlanDay]]:
    """Return the sessions planned in `count` days from the first on, each with its day's number."""
    by_weekday = {WEEKDAYS.index(day.weekday): day for day in days}
    shift = first.weekday()
    return [(n, by_weekday[weekday]) for n in range(count) if (weekday := (shift + n) % 7) in by_weekday]


def draw_attended(
    rng: Random, planned: Sequence[tuple[int, PlanDay]], count: int, adherence: float
) -> list[tuple[int, PlanDay]]:
    """Return the planned sessions that were not missed, one by one or in a gap of days."""
    away: set[int] = set()
    for week in range(0, count, 7):
        if rng.random() < GAP_CHANCE_A_WEEK:
            start = week + rng.randrange(7)
            away.update(range(start, start + rng.randint(*_GAP_DAYS)))
    return [(n, day) for n, day in planned if rng.random() < adherence and n not in away]


@lru_cache(maxsize=8)
def dates(first: date, count: int) -> tuple[date, ...]:
    """Return `count` days in a row; everybody in a run has the same."""
    return tuple([first + timedelta(days=n) for n in range(count)])
