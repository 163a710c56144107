"""Routes: workouts with their exercises and sets."""

from flask import Blueprint

from services.logging.bodies import (
    ExerciseChange,
    Finish,
    NewExercise,
    NewSet,
    NewWorkout,
    SetChange,
    WorkoutChange,
    WorkoutsQuery,
)
from services.logging.ports import deps
from services.logging.schemas import (
    Workout,
    WorkoutExercise,
    Workouts,
    WorkoutSet,
)
from shared.endpoints import Answer, Receipt, User, Version, endpoint
from shared.errors import Conflict, NotFound, Stale

bp = Blueprint("workouts", __name__)
CHANGES = (NotFound, Stale)


@bp.post("/v1/workouts")
@endpoint(status=201, raises=(Conflict, NotFound))
def start_workout(user: User, body: NewWorkout, receipt: Receipt) -> Answer[Workout]:
    """Begin a workout, or write one down that is over."""
    return deps().workouts.start(user, receipt, body)


@bp.get("/v1/workouts")
@endpoint()
def list_workouts(user: User, query: WorkoutsQuery) -> Workouts:
    """List workouts, the latest first."""
    return deps().workouts.page(user, query)


@bp.get("/v1/workouts/<uuid:workout_id>")
@endpoint(raises=(NotFound,))
def show_workout(user: User, workout_id: str) -> Answer[Workout]:
    """Show a workout with its exercises and sets."""
    return deps().workouts.show(user, workout_id)


@bp.patch("/v1/workouts/<uuid:workout_id>")
@endpoint(raises=CHANGES)
def change_workout(user: User, workout_id: str, version: Version, body: WorkoutChange) -> Answer[Workout]:
    """Change a workout."""
    return deps().workouts.change(user, workout_id, version, body)


@bp.post("/v1/workouts/<uuid:workout_id>/finish")
@endpoint(raises=(NotFound,))
def finish_workout(user: User, workout_id: str, body: Finish, receipt: Receipt) -> Answer[Workout]:
    """End a workout; once more changes nothing."""
    return deps().workouts.finish(user, workout_id, receipt, body.ended_at)


@bp.delete("/v1/workouts/<uuid:workout_id>")
@endpoint(raises=(NotFound,))
def delete_workout(user: User, workout_id: str) -> None:
    """Delete a workout with all of it."""
    deps().workouts.delete(user, workout_id)


@bp.post("/v1/workouts/<uuid:workout_id>/exercises")
@endpoint(status=201, raises=(Conflict, NotFound))
def add_exercise(user: User, workout_id: str, body: NewExercise, receipt: Receipt) -> Answer[WorkoutExercise]:
    """Add an exercise to a workout."""
    return deps().workouts.add_exercise(user, workout_id, receipt, body)


@bp.patch("/v1/workouts/<uuid:workout_id>/exercises/<uuid:entry_id>")
@endpoint(raises=(*CHANGES, Conflict))
def change_exercise(
    user: User, workout_id: str, entry_id: str, version: Version, body: ExerciseChange
) -> Answer[WorkoutExercise]:
    """Change an exercise of a workout; its sets are not shown."""
    return deps().workouts.change_exercise(user, workout_id, entry_id, version, body)


@bp.delete("/v1/workouts/<uuid:workout_id>/exercises/<uuid:entry_id>")
@endpoint(raises=(NotFound,))
def delete_exercise(user: User, workout_id: str, entry_id: str) -> None:
    """Delete an exercise of a workout with its sets."""
    deps().workouts.delete_exercise(user, workout_id, entry_id)


@bp.post("/v1/workouts/<uuid:workout_id>/sets")
@endpoint(status=201, raises=(Conflict, NotFound))
def add_set(user: User, workout_id: str, body: NewSet, receipt: Receipt) -> Answer[WorkoutSet]:
    """Add a set to an exercise of a workout."""
    return deps().workouts.add_set(user, workout_id, receipt, body)


@bp.patch("/v1/workouts/<uuid:workout_id>/sets/<uuid:set_id>")
@endpoint(raises=CHANGES)
def change_set(user: User, workout_id: str, set_id: str, version: Version, body: SetChange) -> Answer[WorkoutSet]:
    """Change a set."""
    return deps().workouts.change_set(user, workout_id, set_id, version, body)


@bp.delete("/v1/workouts/<uuid:workout_id>/sets/<uuid:set_id>")
@endpoint(raises=(NotFound,))
def delete_set(user: User, workout_id: str, set_id: str) -> None:
    """Delete a set."""
    deps().workouts.delete_set(user, workout_id, set_id)
