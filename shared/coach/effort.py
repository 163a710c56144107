"""Effort: what a line of a plan asks of a body: what it trains, in sets, and how long it takes.

    kind    how an exercise is dosed       a barbell squat is `heavy`, a plank a `hold`, a bike ride `steady`
    group   what part of a week it serves  push, pull, legs, core, cardio, mobility
    volume  sets by muscle                 1 for a primary muscle, half for a secondary one
    hard    muscles that need a day off after HARD_SETS of it

Times are estimates: a warm-up, and for each set its repetitions (of both sides) and the rest after it.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from shared.coach.catalogue import EXERCISES, Exercise
from shared.coach.lanes import highest_bits, lanes
from shared.coach.plan import PlanDay, WorkoutPlan

Group = Literal["push", "pull", "legs", "core", "cardio", "mobility"]
Kind = Literal["heavy", "light", "isolation", "core", "hold", "burst", "interval", "steady", "drill", "stretch", "flow"]
KINDS: tuple[Kind, ...] = get_args(Kind)

WARM_UP_S = 300
HARD_SETS = 4
"""Direct sets of a muscle in a session from which it is not trained as hard on the next day."""

_GROUPS: dict[str, Group] = {
    "squat": "legs",
    "lunge": "legs",
    "hinge": "legs",
    "bridge": "legs",
    "knee_extension": "legs",
    "knee_flexion": "legs",
    "calf": "legs",
    "hip_abduction": "legs",
    "hip_adduction": "legs",
    "horizontal_push": "push",
    "vertical_push": "push",
    "elbow_extension": "push",
    "horizontal_pull": "pull",
    "vertical_pull": "pull",
    "elbow_flexion": "pull",
    "core_stability": "core",
    "core_flexion": "core",
    "core_rotation": "core",
    "carry": "core",
    "cardio": "cardio",
    "mobility": "mobility",
}
_WEIGHTS = frozenset({"dumbbell", "kettlebell", "barbell", "machine", "cable", "plate"})
_BIG_MUSCLES = frozenset(
    {
        *("chest", "lats", "upper_back", "front_delts", "side_delts", "rear_delts", "biceps", "triceps"),
        *("lower_back", "glutes", "quads", "hamstrings", "calves"),
    }
)
_GENTLE: dict[str, Kind] = {"reps": "drill", "seconds": "stretch", "minutes": "flow"}
_BREATHLESS: dict[str, Kind] = {"reps": "burst", "seconds": "interval", "minutes": "steady"}
_UNCOUNTED = frozenset({"drill", "stretch", "flow", "steady"})


@dataclass(frozen=True, slots=True)
class Effort:
    """An exercise as planners and checkers see it."""

    id: str
    exercise: Exercise
    kind: Kind
    group: Group
    volume: tuple[tuple[str, float], ...]
    """Sets by muscle that one set counts for; none for cardio and mobility."""
    volume_lanes: int
    """The same in one number, see `lanes`."""
    volume_bits: int
    """The highest bits of the lanes in it."""
    hard: tuple[str, ...]
    """Big muscles that one set trains directly."""
    hard_lanes: int
    """One set for each of them, in one number."""
    hard_bits: int
    seconds: float
    """One repetition, second or minute of it, on both sides where it has two."""
    counted: bool
    """Whether its sets are working sets; steady cardio and mobility have none."""


def _kind(exercise: Exercise, group: Group) -> Kind:
    if group == "mobility":
        return _GENTLE[exercise.unit]
    if group == "cardio" or exercise.unit == "minutes":
        return _BREATHLESS[exercise.unit]
    if exercise.unit == "seconds":
        return "hold"
    if group == "core":
        return "core"
    if not exercise.compound:
        return "isolation"
    return "heavy" if exercise.load in _WEIGHTS else "light"


def _group(exercise: Exercise) -> Group:
    if exercise.pattern == "shoulder_isolation":
        pulls = {"rear_delts", "upper_back", "lats"} & set(exercise.primary)
        return "pull" if pulls else "push"
    return _GROUPS[exercise.pattern]


def _effort(exercise: Exercise) -> Effort:
    group = _group(exercise)
    kind = _kind(exercise, group)
    muscular = group not in {"cardio", "mobility"}
    counts = {"reps": exercise.seconds_per_rep, "seconds": 1.0, "minutes": 60.0}
    sides = 2 if exercise.unilateral and exercise.unit != "minutes" else 1
    volume = ((*((m, 1.0) for m in exercise.primary), *((m, 0.5) for m in exercise.secondary))) if muscular else ()
    hard = tuple(m for m in exercise.primary if m in _BIG_MUSCLES) if group in {"push", "pull", "legs"} else ()
    return Effort(
        id=exercise.id,
        exercise=exercise,
        kind=kind,
        group=group,
        volume=volume,
        volume_lanes=lanes(volume),
        volume_bits=highest_bits(muscle for muscle, _ in volume),
        hard=hard,
        hard_lanes=lanes((muscle, 1) for muscle in hard),
        hard_bits=highest_bits(hard),
        seconds=counts[exercise.unit] * sides,
        counted=kind not in _UNCOUNTED,
    )


EFFORTS: dict[str, Effort] = {exercise.id: _effort(exercise) for exercise in EXERCISES.values()}
_UNCOUNTED_IDS = frozenset(effort.id for effort in EFFORTS.values() if not effort.counted)


def session_seconds(day: PlanDay) -> int:
    """Return how long a session takes, warm-up included; an unknown exercise takes 3 s a repetition."""
    total = float(WARM_UP_S)
    for line in day.exercises:
        effort = EFFORTS.get(line.exercise)
        total += line.sets * (line.reps * (effort.seconds if effort else 3.0) + line.rest_s)
    return round(total)


def is_counted(exercise_id: str) -> bool:
    """Return whether an exercise's sets are working sets; an unknown one's are."""
    return exercise_id not in _UNCOUNTED_IDS


def weekly_sets(plan: WorkoutPlan) -> int:
    """Return the working sets of a week: all but mobility and steady cardio."""
    return sum([line.sets for day in plan.days for line in day.exercises if line.exercise not in _UNCOUNTED_IDS])


def converted(reps: int, old: Exercise, new: Exercise) -> int:
    """Return reps of an exercise in the unit of another: as many as take about as long, 1 to 120."""
    if old.unit == new.unit:
        return reps
    seconds = {"reps": old.seconds_per_rep, "seconds": 1.0, "minutes": 60.0}[old.unit] * reps
    if new.unit == "seconds":
        count = 5 * round(seconds / 5)
    else:
        count = round(seconds / (60.0 if new.unit == "minutes" else new.seconds_per_rep))
    return min(max(count, 1), 120)
