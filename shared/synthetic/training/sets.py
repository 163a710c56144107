"""Sets: what becomes of a line of a plan when a person of some strength does it on some day.

`spare` is how many repetitions more (or fewer) a person has in them than the line asks for, its
reserve included; it falls a little from set to set. Some of it shows as repetitions, the rest as RIR.
"""

from functools import lru_cache
from random import Random
from typing import NamedTuple

from shared.coach.catalogue import EXERCISES
from shared.coach.effort import EFFORTS
from shared.coach.plan import PlanDay, PlannedExercise
from shared.coach.profile import UserProfile
from shared.coach.training_log import LoggedSet
from shared.synthetic.training.strength import (
    Rack,
    load_for_kg,
    rack_of,
    reps_to_failure,
    start_max_kg,
    strength_by_region,
)

DELOAD_SETS, DELOAD_LOAD = 0.6, 0.94
HOLD_SHARE = 0.6
"""Of a carry's maximum, what is carried for the planned seconds."""

HIGHEST_RIR = 5
_LOST_A_SET = 0.3
_MOST_RIR_GIVEN_UP = 2
_MOST_EXTRA_REPS = 2
_KNACK = 0.08
_REPS_A_PERCENT = 0.25
_STEP_OF_TIME = {"reps": 0, "seconds": 5, "minutes": 1}

Done = tuple[tuple[LoggedSet, ...], int]
"""The working sets, and the repetitions, seconds or minutes in all of them."""


class Line(NamedTuple):
    """A line of a plan with what doing it depends on."""

    exercise: str
    sets: int
    reps: int
    rir: int
    rest_s: int
    start_kg: float
    """The maximum at the start of the log; 0 where no weight is chosen."""
    rack: Rack
    step_of_time: int
    """Seconds or minutes by which people do more or less; 0 for repetitions."""
    seconds: float
    """Of one repetition, second or minute, on both sides where it has two."""


def prepare(rng: Random, person: UserProfile, talent: float, days: tuple[PlanDay, ...]) -> dict[str, list[Line]]:
    """Return the lines of each day of a plan, by the day's weekday; an exercise is as strong on every day."""
    by_region = strength_by_region(person)
    maxima: dict[str, float] = {}
    lines: dict[str, list[Line]] = {}
    for day in days:
        for planned in day.exercises:
            if planned.exercise not in maxima:
                knack = talent * rng.uniform(1 - _KNACK, 1 + _KNACK)
                maxima[planned.exercise] = knack * start_max_kg(planned.exercise, by_region)
            lines.setdefault(day.weekday, []).append(_line(planned, maxima[planned.exercise]))
    return lines


def _line(planned: PlannedExercise, start_kg: float) -> Line:
    exercise = EXERCISES[planned.exercise]
    return Line(
        planned.exercise,
        planned.sets,
        planned.reps,
        planned.rir,
        planned.rest_s,
        start_kg,
        rack_of(exercise.load),
        _STEP_OF_TIME[exercise.unit],
        EFFORTS[exercise.id].seconds,
    )


def do(line: Line, luck: float, fitness: float, today: float, deload: bool) -> Done:
    """Return what is done of a line.

    `luck` is between 0 and 1. `fitness` and `today` are factors on the strength at the start of the
    log: the one people choose their weights by, and the one they find they have.
    """
    _, count, reps, rir, _, start, rack, step_of_time, _ = line
    if deload:
        count = max(1, round(count * DELOAD_SETS))
    if step_of_time:
        load = rack.nearest_kg(start * fitness * HOLD_SHARE) if start else 0.0
        longer = 0 if 0.2 < luck < 0.8 else step_of_time if luck > 0.5 else -step_of_time
        return _timed(load, count, reps, rir, longer)
    asked = reps + rir
    spare = 2.0 * (luck - 0.5)
    load = 0.0
    if start:
        wanted = load_for_kg(start * fitness, asked)
        load = rack.nearest_kg(wanted * DELOAD_LOAD if deload else wanted)
        spare += reps_to_failure(start * today, load) - asked
    else:
        spare += (today - 1) * 100 * _REPS_A_PERCENT
    return _repeated(load, count, reps, rir, round(spare))


@lru_cache(maxsize=8192)
def _timed(load_kg: float, count: int, time: int, rir: int, longer: int) -> Done:
    """Return sets for time, the last one longer or shorter; logs share them, as many are alike."""
    last = max(time + longer, 1)
    sets = ((load_kg, time, rir),) * (count - 1) + ((load_kg, last, rir),)
    return sets, time * (count - 1) + last


@lru_cache(maxsize=16_384)
def _repeated(load_kg: float, count: int, reps: int, rir: int, spare: int) -> Done:
    """Return sets of repetitions; logs share them, as many are alike."""
    done = [_one_set(reps, rir, spare - round(_LOST_A_SET * n)) for n in range(count)]
    return tuple([(load_kg, repeated, left) for repeated, left in done]), sum([repeated for repeated, _ in done])


def _one_set(reps: int, rir: int, spare: int) -> tuple[int, int]:
    if spare >= 0:
        more = min(spare // 2, _MOST_EXTRA_REPS)
        return reps + more, min(rir + spare - more, HIGHEST_RIR)
    given_up = min(-spare, rir, _MOST_RIR_GIVEN_UP)
    return max(1, reps + spare + given_up), rir - given_up
