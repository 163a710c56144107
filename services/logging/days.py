"""Days: sleep, calories and weight of a day, one row each, in Postgres."""

from datetime import date
from typing import Final

from services.logging.bodies import (
    DayChange,
    DaysQuery,
)
from services.logging.paging import after, cursor
from services.logging.schemas import (
    DayEntry,
    Days,
)
from shared.database import Database
from shared.endpoints import Answer
from shared.errors import InvalidFields, NotFound
from shared.statements import Statement

COLUMNS: Final = """json_build_object('day', day, 'sleep_h', sleep_h, 'kcal', kcal, 'weight_kg', weight_kg,
    'body_fat_pct', body_fat_pct, 'version', version)::text"""
LOG: Final = Statement(f"""
    INSERT INTO logging.days AS d (user_id, day, sleep_h, kcal, weight_kg, body_fat_pct)
    VALUES (:user_id, :day, :sleep_h, :kcal, :weight_kg, :body_fat_pct)
    ON CONFLICT (user_id, day) DO UPDATE SET sleep_h = coalesce(excluded.sleep_h, d.sleep_h),
      kcal = coalesce(excluded.kcal, d.kcal), weight_kg = coalesce(excluded.weight_kg, d.weight_kg),
      body_fat_pct = coalesce(excluded.body_fat_pct, d.body_fat_pct), version = d.version + 1
    RETURNING {COLUMNS}, version""")
SHOW: Final = Statement(f"SELECT {COLUMNS}, version FROM logging.days WHERE day = :day")
LIST: Final = Statement("""
    SELECT day, sleep_h, kcal, weight_kg, body_fat_pct, version FROM logging.days
    WHERE (:since::date IS NULL OR day >= :since) AND (:until::date IS NULL OR day <= :until)
      AND (:before::date IS NULL OR day < :before)
    ORDER BY day DESC LIMIT :limit""")
DELETE: Final = Statement("DELETE FROM logging.days WHERE day = :day RETURNING 1")
MISSING: Final = "nothing was logged on that day"


class PostgresDays:
    """A user's days."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def log(self, user_id: str, day: date, asked: DayChange) -> Answer[DayEntry]:
        """Log what was measured on a day, beside what was logged of it before."""
        logging = LOG(user_id=user_id, day=day, **asked.model_dump())
        (found,) = self._database.run(user_id, logging)
        return Answer(found[0][0].encode(), version=found[0][1])

    def show(self, user_id: str, day: date) -> Answer[DayEntry]:
        """Return a day; raises NotFound."""
        (found,) = self._database.run(user_id, SHOW(day=day))
        if not found:
            raise NotFound(MISSING)
        return Answer(found[0][0].encode(), version=found[0][1])

    def page(self, user_id: str, query: DaysQuery) -> Days:
        """Return a page of days, the latest first."""
        (before,) = after(query.cursor, 1)
        try:
            begin = date.fromisoformat(before) if before else None
        except ValueError as exc:
            raise InvalidFields((("cursor", "is not one that was given"),)) from exc
        listing = LIST(since=query.since, until=query.until, before=begin, limit=query.limit + 1)
        (found,) = self._database.run(user_id, listing)
        days = [DayEntry.model_validate(dict(zip(DayEntry.model_fields, row, strict=True))) for row in found]
        more = len(days) > query.limit
        days = days[: query.limit]
        return Days.model_construct(days=tuple(days), next=cursor(days[-1].day) if more else None)

    def delete(self, user_id: str, day: date) -> None:
        """Forget a day; raises NotFound."""
        (found,) = self._database.run(user_id, DELETE(day=day))
        if not found:
            raise NotFound(MISSING)
