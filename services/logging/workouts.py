"""Workouts: workouts, their exercises and sets in Postgres.

Reads are one statement that makes the JSON; writes say what they answer beforehand, so that the receipt of a
repeated POST holds it. What does not belong to the user or the workout breaks a foreign key, and is NotFound.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from services.logging.bodies import (
    ExerciseChange,
    NewExercise,
    NewSet,
    NewWorkout,
    SetChange,
    WorkoutChange,
    WorkoutsQuery,
)
from services.logging.paging import after, cursor
from services.logging.schemas import (
    Workout,
    WorkoutExercise,
    WorkoutLine,
    Workouts,
    WorkoutSet,
)
from services.logging.workout_statements import (
    ADD_EXERCISE,
    ADD_SET,
    CHANGE,
    CHANGE_EXERCISE,
    CHANGE_SET,
    DELETE,
    DELETE_EXERCISE,
    DELETE_SET,
    FINISH,
    LIST,
    SHOW,
    START,
    VERSION_OF_EXERCISE,
    VERSION_OF_SET,
    VERSION_OF_WORKOUT,
)
from shared.coach.catalogue import EXERCISES
from shared.database import Database
from shared.endpoints import Answer, Receipt
from shared.errors import Conflict, InvalidFields, NotFound, Stale
from shared.receipts import Receipts
from shared.statements import Asked, DatabaseRefused, Rows

T = TypeVar("T")

MISSING: Final = {
    "workout_of_the_user": "you have no such workout",
    "plan_of_the_user": "you have no such plan",
    "exercise_of_the_workout": "this workout has no such exercise",
}
TAKEN: Final = {
    "position_taken": "another exercise of this workout has that position",
    "number_taken": "this exercise has a set of that number already",
}


class PostgresWorkouts:
    """A user's workouts."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._receipts = Receipts(database, "logging")
        self._clock = clock

    def start(self, user_id: str, receipt: Receipt, asked: NewWorkout) -> Answer[Workout]:
        """Begin a workout."""
        began = asked.started_at or self._clock()
        made = Workout(
            workout_id=uuid4(),
            plan_id=asked.plan_id,
            plan_day=asked.plan_day,
            name=asked.name,
            notes=asked.notes,
            day=began.date(),
            started_at=began.astimezone(UTC),
            ended_at=None,
            version=1,
        )
        starting = START(
            workout_id=str(made.workout_id),
            user_id=user_id,
            plan_id=None if made.plan_id is None else str(made.plan_id),
            plan_day=made.plan_day,
            name=made.name,
            notes=made.notes,
            day=made.day,
            started_at=made.started_at,
        )
        return self._make(user_id, receipt, made, starting)

    def add_exercise(
        self, user_id: str, workout_id: str, receipt: Receipt, asked: NewExercise
    ) -> Answer[WorkoutExercise]:
        """Add an exercise to a workout; raises NotFound, InvalidFields, Conflict."""
        known = EXERCISES.get(asked.exercise)
        if known is None:
            raise InvalidFields((("exercise", "is not in the catalogue"),))
        made = WorkoutExercise(
            entry_id=uuid4(),
            workout_id=UUID(workout_id),
            exercise=asked.exercise,
            position=asked.position,
            notes=asked.notes,
            version=1,
        )
        adding = ADD_EXERCISE(
            entry_id=str(made.entry_id),
            user_id=user_id,
            workout_id=workout_id,
            exercise=asked.exercise,
            position=asked.position,
            notes=asked.notes,
            lifted=known.load_ratio is not None and known.unit == "reps",
            muscles=_array(known.primary),
            assisting=_array([one for one in known.secondary if one not in known.primary]),
        )
        return self._make(user_id, receipt, made, adding)

    def add_set(self, user_id: str, workout_id: str, receipt: Receipt, asked: NewSet) -> Answer[WorkoutSet]:
        """Add a set to an exercise; raises NotFound, Conflict."""
        made = WorkoutSet(
            set_id=uuid4(),
            workout_id=UUID(workout_id),
            entry_id=asked.entry_id,
            number=asked.number,
            reps=asked.reps,
            load_kg=round(asked.load_kg, 2),
            rir=asked.rir,
            is_warmup=asked.is_warmup,
            completed_at=(asked.completed_at or self._clock()).astimezone(UTC),
            version=1,
        )
        adding = ADD_SET(
            set_id=str(made.set_id),
            user_id=user_id,
            workout_id=workout_id,
            entry_id=str(made.entry_id),
            number=made.number,
            reps=made.reps,
            load_kg=made.load_kg,
            rir=made.rir,
            is_warmup=made.is_warmup,
            completed_at=made.completed_at,
        )
        return self._make(user_id, receipt, made, adding)

    def show(self, user_id: str, workout_id: str) -> Answer[Workout]:
        """Return a workout with all of it; raises NotFound."""
        (found,) = self._database.run(user_id, SHOW(workout_id=workout_id))
        if not found:
            raise NotFound(MISSING["workout_of_the_user"])
        return Answer(found[0][0].encode(), version=found[0][1])

    def page(self, user_id: str, query: WorkoutsQuery) -> Workouts:
        """Return a page of workouts, the latest first."""
        day, workout_id = key(query.cursor)
        listing = LIST(since=query.since, until=query.until, day=day, workout_id=workout_id, limit=query.limit + 1)
        (found,) = self._database.run(user_id, listing)
        lines = [WorkoutLine.model_validate(dict(zip(WorkoutLine.model_fields, row, strict=True))) for row in found]
        more = len(lines) > query.limit
        lines = lines[: query.limit]
        return Workouts.model_construct(
            workouts=tuple(lines), next=cursor(lines[-1].day, lines[-1].workout_id) if more else None
        )

    def change(self, user_id: str, workout_id: str, version: int, asked: WorkoutChange) -> Answer[Workout]:
        """Change a workout; raises NotFound, Stale, and InvalidFields where it would end before it began."""
        began = asked.started_at
        changing = CHANGE(
            workout_id=workout_id,
            version=version,
            name=asked.name,
            notes=asked.notes,
            started_at=began,
            day=began.date() if began else None,
            ended_at=asked.ended_at,
        )
        try:
            return self._change(user_id, changing, VERSION_OF_WORKOUT(workout_id=workout_id))
        except InvalidFields as exc:
            if asked.ended_at is None:
                raise InvalidFields((("started_at", "must be before the end, by at most 24 hours"),)) from exc
            raise

    def finish(self, user_id: str, workout_id: str, receipt: Receipt, ended_at: datetime | None) -> Answer[Workout]:
        """End a workout that goes on; one that has ended already is returned as it is. Raises NotFound, Conflict."""
        key = {"key": receipt.key, "digest": receipt.digest}
        try:
            (found,) = self._database.run(user_id, FINISH(workout_id=workout_id, ended_at=ended_at, **key))
        except DatabaseRefused as exc:
            if exc.constraint == "receipts_pkey":
                return self._receipts.find(user_id, receipt)
            raise refused(exc) from exc
        if found:
            return Answer(found[0][0].encode(), version=found[0][1])
        answer, _ = self._receipts.run(user_id, receipt, self.show(user_id, workout_id))
        return answer

    def change_exercise(
        self, user_id: str, workout_id: str, entry_id: str, version: int, asked: ExerciseChange
    ) -> Answer[WorkoutExercise]:
        """Change an exercise of a workout; raises NotFound, Stale, Conflict."""
        which = {"workout_id": workout_id, "part_id": entry_id}
        changing = CHANGE_EXERCISE(**which, version=version, position=asked.position, notes=asked.notes)
        return self._change(user_id, changing, VERSION_OF_EXERCISE(**which))

    def change_set(
        self, user_id: str, workout_id: str, set_id: str, version: int, asked: SetChange
    ) -> Answer[WorkoutSet]:
        """Change a set; raises NotFound, Stale."""
        which = {"workout_id": workout_id, "part_id": set_id}
        changing = CHANGE_SET(
            **which, version=version, reps=asked.reps, load_kg=asked.load_kg, rir=asked.rir, is_warmup=asked.is_warmup
        )
        return self._change(user_id, changing, VERSION_OF_SET(**which))

    def delete(self, user_id: str, workout_id: str) -> None:
        """Delete a workout with all of it; raises NotFound."""
        self._delete(user_id, DELETE(workout_id=workout_id))

    def delete_exercise(self, user_id: str, workout_id: str, entry_id: str) -> None:
        """Delete an exercise of a workout with its sets; raises NotFound."""
        self._delete(user_id, DELETE_EXERCISE(workout_id=workout_id, part_id=entry_id))

    def delete_set(self, user_id: str, workout_id: str, set_id: str) -> None:
        """Delete a set; raises NotFound."""
        self._delete(user_id, DELETE_SET(workout_id=workout_id, part_id=set_id))

    def _make(self, user_id: str, receipt: Receipt, made: T, asked: Asked) -> Answer[T]:
        try:
            answer, _ = self._receipts.run(user_id, receipt, Answer(made, status=201, version=1), asked)
        except DatabaseRefused as exc:
            raise refused(exc) from exc
        return answer

    def _change(self, user_id: str, changing: Asked, version: Asked) -> Answer[Any]:
        try:
            found, there = self._database.run(user_id, changing, version)
        except DatabaseRefused as exc:
            raise refused(exc) from exc
        return changed(found, there, "there is no such thing in your log")

    def _delete(self, user_id: str, deleting: Asked) -> None:
        (found,) = self._database.run(user_id, deleting)
        if not found:
            raise NotFound("there is no such thing in your log")


def changed(found: Rows, there: Rows, missing: str) -> Answer[Any]:
    """Return what a conditional change gave; raises NotFound, or Stale where it was for another version."""
    if found:
        return Answer(found[0][0].encode(), version=found[0][1])
    if not there:
        raise NotFound(missing)
    raise Stale(f"it is at version {there[0][0]} now; read it again")


def refused(exc: DatabaseRefused) -> Exception:
    """Return what a broken constraint means to who broke it; what means nothing to them stays as it is."""
    if exc.constraint in TAKEN:
        return Conflict(TAKEN[exc.constraint])
    if exc.constraint in MISSING:
        return NotFound(MISSING[exc.constraint])
    if exc.sqlstate == "23502":  # the week of a workout that is not the user's
        return NotFound(MISSING["workout_of_the_user"])
    if exc.constraint == "ended_at":
        return InvalidFields((("ended_at", "must be after the start, within 24 hours"),))
    return exc


def key(text: str | None) -> tuple[date | None, str | None]:
    """Return the day and id that a page of workouts begins after; raises InvalidFields."""
    day, workout_id = after(text, 2)
    try:
        return (date.fromisoformat(day) if day else None), (str(UUID(workout_id)) if workout_id else None)
    except ValueError as exc:
        raise InvalidFields((("cursor", "is not one that was given"),)) from exc


def _array(words: Iterable[str]) -> str:
    """Return words of the catalogue as Postgres spells an array."""
    return "{" + ",".join(words) + "}"
