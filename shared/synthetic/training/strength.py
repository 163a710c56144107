"""Strength: what a person can lift, and the weight they take for the repetitions a plan asks for.

Estimated one-repetition maxima follow Epley: load x (1 + repetitions to failure / 30). The catalogue
gives each exercise's maximum for an average man with a year or two of training, as a share of body
weight; sex, age, experience and talent make it somebody's own.
"""

from bisect import bisect_left
from functools import cache
from itertools import accumulate, chain, pairwise, repeat
from typing import NamedTuple

from shared.coach.catalogue import EXERCISES, Exercise, Load
from shared.coach.effort import EFFORTS
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import Experience

_EPLEY_REPS = 30
_LOWER_GROUP = "legs"
_PUSH_OR_PULL = ("push", "pull")
_FEMALE_SHARE = {"lower": 0.82, "upper": 0.64, "trunk": 0.74}
"""Of a man's strength per kilogram of body weight; less of it is muscle, above all in the arms."""

_EXPERIENCE: dict[Experience, float] = {"beginner": 0.64, "intermediate": 1.0, "advanced": 1.3}
_FAT_SHARE_THAT_LIFTS = 0.3
_LEAN_BMI = 25.0
_PRIME_YEARS = range(20, 36)
_LOST_A_YEAR = 0.008

_STEPS_KG: dict[Load, tuple[tuple[float, int], ...]] = {
    "barbell": ((10.0, 1), (2.5, 140)),
    "machine": ((5.0, 1), (2.5, 140)),
    "cable": ((1.25, 8), (2.5, 60)),
    "dumbbell": ((1.0, 10), (2.0, 25)),
    "kettlebell": ((4.0, 1), (2.0, 8), (4.0, 7)),
    "medicine_ball": ((1.0, 10), (2.0, 5)),
    "plate": ((0.5, 20),),
}
"""What a weight grows by, how many times: the lightest first. Barbells start with one of 10 kg."""

_OTHER_STEPS_KG = ((2.5, 40),)
_ROUNDED_UP_FROM = 0.6


def load_for_kg(max_kg: float, reps_to_failure: int) -> float:
    """Return the weight that can be lifted just so often."""
    return max_kg / (1 + reps_to_failure / _EPLEY_REPS)


def reps_to_failure(max_kg: float, load_kg: float) -> float:
    """Return how often a weight can be lifted; less than nothing where it is too heavy."""
    return _EPLEY_REPS * (max_kg / load_kg - 1)


def lifting_weight_kg(person: UserProfile) -> float:
    """Return the body weight that counts: what lies above a BMI of 25 lifts little."""
    lean = _LEAN_BMI * (person.height_cm / 100) ** 2
    return min(person.weight_kg, lean) + _FAT_SHARE_THAT_LIFTS * max(0.0, person.weight_kg - lean)


def _region(exercise: Exercise) -> str:
    group = EFFORTS[exercise.id].group
    if group == _LOWER_GROUP:
        return "lower"
    return "upper" if group in _PUSH_OR_PULL else "trunk"


def _sex_share(person: UserProfile, region: str) -> float:
    female = _FEMALE_SHARE[region]
    return {"female": female, "male": 1.0, "other": (1 + female) / 2}[person.sex]


def strength_by_region(person: UserProfile) -> dict[str, float]:
    """Return the kilograms that a load ratio of 1 stands for, by region of the body."""
    years_past = max(0, person.age - _PRIME_YEARS[-1])
    age = 1 - _LOST_A_YEAR * years_past if person.age >= _PRIME_YEARS[0] else 0.94
    own = lifting_weight_kg(person) * age * _EXPERIENCE[person.experience]
    return {region: own * _sex_share(person, region) for region in _FEMALE_SHARE}


def start_max_kg(exercise_id: str, by_region: dict[str, float]) -> float:
    """Return the maximum that is average for such a person, 0 where no weight is chosen."""
    entry = _ratio_and_region(exercise_id)
    return entry[0] * by_region[entry[1]] if entry else 0.0


@cache
def _ratio_and_region(exercise_id: str) -> tuple[float, str] | None:
    exercise = EXERCISES[exercise_id]
    return None if exercise.load_ratio is None else (exercise.load_ratio, _region(exercise))


class Rack(NamedTuple):
    """The weights that there are of a kind, the lightest first."""

    weights_kg: tuple[float, ...]
    outgrown_kg: tuple[float, ...]
    """Above which wish the next weight is nearer; one for each but the heaviest."""

    def nearest_kg(self, wanted_kg: float) -> float:
        """Return the nearest weight or, in between, the lighter one."""
        return self.weights_kg[bisect_left(self.outgrown_kg, wanted_kg)]


@cache
def rack_of(load: Load) -> Rack:
    """Return the rack for a kind of load."""
    steps = _STEPS_KG.get(load, _OTHER_STEPS_KG)
    weights = tuple(accumulate(chain(*(repeat(step, count) for step, count in steps))))
    return Rack(weights, tuple(low + _ROUNDED_UP_FROM * (high - low) for low, high in pairwise(weights)))
