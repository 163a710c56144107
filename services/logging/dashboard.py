"""Dashboard: the last twelve weeks at a glance, read from weekly sums; and what a coach reads out of the same.

What it costs does not grow with a user's history: a dozen weeks, the lifts trained most in them, four weeks of days.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import orjson

from services.logging.schemas import (
    Dashboard,
)
from shared.coach.training_log import LiftTrend, Trend
from shared.database import Database
from shared.endpoints import Answer
from shared.errors import NotFound
from shared.log_summary import LogSummary, RirTrend
from shared.statements import Statement

WEEKS: Final = 12
IMPROVING_FROM: Final = 1.025
DECLINING_FROM: Final = 0.975
STREAK_WEEKS: Final = 52

NUMBERS: Final = Statement("""
    SELECT
      (SELECT json_agg(json_build_array(week, workouts, sets, volume_kg, rir_total) ORDER BY week)
       FROM logging.weeks WHERE user_id = :user_id AND week > :monday::date - 365 AND week <= :monday)::text,
      (SELECT json_agg(m) FROM (
         SELECT muscle, sum(half_sets) FILTER (WHERE week = :monday) / 2.0 AS sets,
           sum(volume_kg) FILTER (WHERE week = :monday) AS volume_kg,
           sum(half_sets) FILTER (WHERE week < :monday) / 8.0 AS sets_before
         FROM logging.week_muscles WHERE user_id = :user_id AND week >= :monday::date - 28 AND week <= :monday
         GROUP BY muscle ORDER BY muscle) m)::text,
      (SELECT json_agg(json_build_array(exercise, bests)) FROM (
         SELECT exercise, json_agg(best_e1rm_kg ORDER BY week) AS bests FROM logging.week_lifts
         WHERE user_id = :user_id AND week >= :monday::date - 77 AND week <= :monday AND best_e1rm_kg IS NOT NULL
         GROUP BY exercise HAVING count(*) >= 3 ORDER BY sum(sets) DESC, exercise LIMIT 6) l)::text,
      (SELECT json_build_array(
         avg(sleep_h) FILTER (WHERE day > :today::date - 7), avg(kcal) FILTER (WHERE day > :today::date - 7),
         (array_agg(weight_kg ORDER BY day DESC) FILTER (WHERE weight_kg IS NOT NULL))[1],
         (array_agg(weight_kg ORDER BY day) FILTER (WHERE weight_kg IS NOT NULL))[1],
         count(weight_kg), avg(sleep_h), avg(kcal))
       FROM logging.days WHERE user_id = :user_id AND day > :today::date - 28 AND day <= :today)::text,
      (SELECT json_object_agg(kind, value) FROM logging.targets
       WHERE user_id = :user_id AND effective_to IS NULL)::text""")


class PostgresDashboard:
    """A user's numbers."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def show(self, user_id: str, today: date | None = None) -> Answer[Dashboard]:
        """Return a user's dashboard."""
        today = today or self._clock().astimezone(UTC).date()
        weeks, muscles, lifts, days, targets = self._numbers(user_id, today)
        monday = _monday(today)
        sleep_h, kcal, weight_kg, first_kg, weighings, _, _ = days
        shown = {
            "today": today.isoformat(),
            "adherence_pct": adherence_pct(weeks, monday, targets.get("sessions")),
            "streak_weeks": streak(weeks, monday),
            "weeks": [_week(*week) for week in weeks if week[0] > (monday - timedelta(weeks=WEEKS)).isoformat()],
            "muscles": [{name: value or 0 for name, value in one.items()} for one in muscles],
            "lifts": [_lift(exercise, bests) for exercise, bests in lifts],
            "averages": {
                "sleep_h": _rounded(sleep_h, 1),
                "kcal": _rounded(kcal, 0),
                "weight_kg": weight_kg,
                "weight_change_kg": round(weight_kg - first_kg, 2) if weighings > 1 else None,
            },
            "targets": targets,
        }
        return Answer(orjson.dumps(shown))

    def summary(self, user_id: str, weeks_back: int, planned: int | None) -> LogSummary:
        """Return what a coach reads out of the last weeks; raises NotFound where nothing was ever logged."""
        today = self._clock().astimezone(UTC).date()
        weeks, _, lifts, days, targets = self._numbers(user_id, today)
        first = (_monday(today) - timedelta(weeks=weeks_back - 1)).isoformat()
        seen = [week for week in weeks if week[0] >= first]
        _, _, weight_kg, first_kg, weighings, sleep_h, kcal = days
        if not seen and sleep_h is None and kcal is None and weight_kg is None:
            raise NotFound("this user has logged nothing lately")
        span = weeks_back if not seen else max(1, (_monday(today) - date.fromisoformat(seen[0][0])).days // 7 + 1)
        sets, sessions = sum(week[2] for week in seen), sum(week[1] for week in seen)
        return LogSummary(
            weeks=span,
            planned_sessions=span * (planned or round(targets.get("sessions") or 0)) or sessions,
            done_sessions=sessions,
            sets_per_week=round(sets / span, 1),
            avg_rir=avg_rir(seen),
            rir_trend=rir_trend(seen),
            lifts=tuple(LiftTrend.model_validate(_lift(exercise, bests)) for exercise, bests in lifts[:3]),
            avg_sleep_h=_rounded(sleep_h, 1),
            avg_kcal=None if kcal is None else round(kcal),
            weight_change_kg=round(weight_kg - first_kg, 1) if weighings > 1 else None,
        )

    def _numbers(self, user_id: str, today: date) -> tuple[Any, Any, Any, Any, Any]:
        ((row,),) = self._database.run(user_id, NUMBERS(user_id=user_id, monday=_monday(today), today=today))
        weeks, muscles, lifts, days, targets = (orjson.loads(text) if text else None for text in row)
        return weeks or [], muscles or [], lifts or [], days, targets or {}


def adherence_pct(weeks: Sequence[Sequence[Any]], monday: date, target: float | None) -> int | None:
    """Return the sessions of the four whole weeks before this one, in percent of those aimed for, at most 100.

    Weeks before the first one with a workout do not count; None without a target or such a week.
    """
    begun = next((week[0] for week in weeks if week[1]), None)
    if not target or begun is None:
        return None
    before = [(monday - timedelta(weeks=back)).isoformat() for back in range(1, 5)]
    counted = [week for week in before if week >= begun]
    done = {week[0]: week[1] for week in weeks}
    if not counted:
        return None
    trained: float = sum(min(done.get(week, 0), target) for week in counted)
    return round(100 * trained / (target * len(counted)))


def streak(weeks: Sequence[Sequence[Any]], monday: date) -> int:
    """Return how many weeks in a row had a workout; the present one need not have it yet."""
    trained = {week[0] for week in weeks if week[1]}
    length = 0 if monday.isoformat() not in trained else 1
    back = monday - timedelta(weeks=1)
    while back.isoformat() in trained and length < STREAK_WEEKS:
        length += 1
        back -= timedelta(weeks=1)
    return length


def avg_rir(weeks: Sequence[Sequence[Any]]) -> float | None:
    """Return how near to failure the sets of some weeks ended, on average; None without sets."""
    sets = sum(week[2] for week in weeks)
    return round(sum(week[4] for week in weeks) / sets, 1) if sets else None


def rir_trend(weeks: Sequence[Sequence[Any]]) -> RirTrend | None:
    """Return how that moved: of an odd number of weeks with sets the middle one counts in neither half."""
    trained = [week for week in weeks if week[2]]
    half = len(trained) // 2
    first, last = avg_rir(trained[:half]), avg_rir(trained[-half:]) if half else None
    return None if first is None or last is None else RirTrend(first=first, last=last)


def trend(ratio: float) -> Trend:
    """Return what a lift's last third over its first is; less than measurement noise is no trend."""
    if ratio >= IMPROVING_FROM:
        return "improving"
    return "declining" if ratio <= DECLINING_FROM else "plateau"


def _lift(exercise: str, bests: Sequence[float]) -> dict[str, Any]:
    third = max(1, len(bests) // 3)
    first, last = sum(bests[:third]) / third, sum(bests[-third:]) / third
    return {
        "exercise": exercise,
        "first_e1rm_kg": round(first, 1),
        "last_e1rm_kg": round(last, 1),
        "trend": trend(last / first),
    }


def _week(week: str, workouts: int, sets: int, volume_kg: float, rir_total: int) -> dict[str, Any]:
    average = round(rir_total / sets, 1) if sets else None
    return {"week": week, "workouts": workouts, "sets": sets, "volume_kg": volume_kg, "avg_rir": average}


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
