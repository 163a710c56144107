"""Choices: the exercises a person may do, in the order that a coach would reach for them.

A slot is a place in a session, such as "squat" or "row"; every exercise of its group can fill it, those of
the slot's own movement patterns first, loaded ones before a limb's own weight, and easy ones first for
beginners. The order is made once for the whole catalogue and filtered for a person.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from math import inf
from typing import Literal, get_args

from shared.coach.effort import EFFORTS, Effort, Group
from shared.coach.vocabulary import Experience

Slot = Literal[
    "squat",
    "hinge",
    "lunge",
    "hamstrings",
    "quads",
    "calves",
    "hips",
    "press",
    "overhead",
    "arms_push",
    "delts",
    "row",
    "pulldown",
    "arms_pull",
    "rear_delts",
    "core",
    "trunk",
    "carry",
    "cardio",
    "easy_cardio",
    "mobility",
]
SLOTS: dict[Slot, tuple[Group, tuple[str, ...]]] = {
    "squat": ("legs", ("squat", "lunge", "knee_extension")),
    "hinge": ("legs", ("hinge", "bridge", "knee_flexion")),
    "lunge": ("legs", ("lunge", "squat", "knee_extension")),
    "hamstrings": ("legs", ("knee_flexion", "bridge", "hinge")),
    "quads": ("legs", ("knee_extension", "lunge", "squat")),
    "calves": ("legs", ("calf", "hip_abduction", "hip_adduction")),
    "hips": ("legs", ("hip_abduction", "hip_adduction", "bridge")),
    "press": ("push", ("horizontal_push", "vertical_push")),
    "overhead": ("push", ("vertical_push", "horizontal_push", "shoulder_isolation")),
    "arms_push": ("push", ("elbow_extension", "shoulder_isolation")),
    "delts": ("push", ("shoulder_isolation", "elbow_extension")),
    "row": ("pull", ("horizontal_pull", "vertical_pull")),
    "pulldown": ("pull", ("vertical_pull", "horizontal_pull")),
    "arms_pull": ("pull", ("elbow_flexion", "shoulder_isolation")),
    "rear_delts": ("pull", ("shoulder_isolation", "horizontal_pull")),
    "core": ("core", ("core_stability", "core_rotation", "core_flexion")),
    "trunk": ("core", ("core_rotation", "core_flexion", "core_stability")),
    "carry": ("core", ("carry", "core_stability")),
    "cardio": ("cardio", ("cardio",)),
    "easy_cardio": ("cardio", ("cardio",)),
    "mobility": ("mobility", ("mobility",)),
}
"""What each slot is filled from: a group, and its patterns from the best to the next best."""

_SLOT_OF_PATTERN: dict[str, Slot] = {
    "squat": "squat",
    "lunge": "lunge",
    "hinge": "hinge",
    "bridge": "hamstrings",
    "knee_extension": "quads",
    "knee_flexion": "hamstrings",
    "calf": "calves",
    "hip_abduction": "hips",
    "hip_adduction": "hips",
    "horizontal_push": "press",
    "vertical_push": "overhead",
    "elbow_extension": "arms_push",
    "horizontal_pull": "row",
    "vertical_pull": "pulldown",
    "elbow_flexion": "arms_pull",
    "core_stability": "core",
    "core_flexion": "trunk",
    "core_rotation": "trunk",
    "carry": "carry",
    "mobility": "mobility",
}
_OTHER_PATTERN = 5
_PATTERN_WEIGHT = 10.0
_SAME_CHOICE = 1.0
"""Ranks this close to the best are equally good choices."""
_MOST_EQUALS = 8
_LOAD_RANK = {"none": 12.0, "bodyweight": 0.8, "band": 0.8, "medicine_ball": 0.8}
_INTENSITY_RANK = {"low": 1.0, "moderate": 0.0, "high": 0.5}
_COMPOUND_PATTERNS = frozenset(
    {
        *("squat", "lunge", "hinge"),
        *("horizontal_push", "vertical_push", "horizontal_pull", "vertical_pull"),
    }
)
_ISOLATION_COST = 3.0
"""A fly where a press would do comes after every press."""
_LEVEL_RANK: dict[Experience, dict[str, float]] = {
    "beginner": {"beginner": 0.0, "intermediate": 1.1, "advanced": 3.0},
    "intermediate": {"beginner": 0.2, "intermediate": 0.0, "advanced": 1.1},
    "advanced": {"beginner": 0.4, "intermediate": 0.0, "advanced": 0.2},
}
_Ranked = tuple[float, str, Effort]


class Choices:
    """What can fill each slot for one person, the best first."""

    __slots__ = ("_allowed", "_experience", "_heads")

    def __init__(self, allowed: frozenset[str], experience: Experience) -> None:
        self._allowed = allowed
        self._experience: Experience = experience
        self._heads: dict[Slot, tuple[list[Effort], int]] = {}

    def fill(self, slot: Slot, chance: float) -> Iterator[Effort]:
        """Yield what can fill a slot; `chance`, from 0 to 1, picks which of the equally good comes first."""
        equals, rest = self._head(slot)
        first = int(chance * len(equals))
        yield from equals[first:]
        yield from equals[:first]
        allowed = self._allowed
        for _, exercise_id, effort in _ranked(slot, self._experience)[rest:]:
            if exercise_id in allowed:
                yield effort

    def _head(self, slot: Slot) -> tuple[list[Effort], int]:
        """Return the best for a slot that are equally good, and where in the ranking the others begin."""
        known = self._heads.get(slot)
        if known is None:
            known = self._heads[slot] = self._find_head(_ranked(slot, self._experience))
        return known

    def _find_head(self, ranked: tuple[_Ranked, ...]) -> tuple[list[Effort], int]:
        allowed, equals, worst = self._allowed, list[Effort](), inf
        for place, (far, exercise_id, effort) in enumerate(ranked):
            if far > worst or len(equals) == _MOST_EQUALS:
                return equals, place
            if exercise_id in allowed:
                if not equals:
                    worst = far + _SAME_CHOICE
                equals.append(effort)
        return equals, len(ranked)


@lru_cache(maxsize=512)
def choices_for(allowed: frozenset[str], experience: Experience) -> Choices:
    """Return the choices among some exercises; the same object for everybody who has them."""
    return Choices(allowed, experience)


@cache
def _grouped() -> dict[Group, tuple[Effort, ...]]:
    return {group: tuple(effort for effort in EFFORTS.values() if effort.group == group) for group in get_args(Group)}


@cache
def _ranked(slot: Slot, experience: Experience) -> tuple[_Ranked, ...]:
    group, patterns = SLOTS[slot]
    candidates = (effort for effort in _grouped()[group] if slot != "easy_cardio" or _is_easy(effort))
    ranked = [(rank(effort, patterns, experience), effort.id, effort) for effort in candidates]
    return tuple(sorted(ranked, key=lambda one: one[0]))


def _is_easy(effort: Effort) -> bool:
    return effort.kind == "steady" and effort.exercise.intensity != "high"


def slot_for(effort: Effort) -> Slot:
    """Return the slot that an exercise fills, and so what could stand in its place."""
    if effort.group == "cardio":
        return "easy_cardio" if effort.kind == "steady" else "cardio"
    if effort.exercise.pattern == "shoulder_isolation":
        return "rear_delts" if effort.group == "pull" else "delts"
    return _SLOT_OF_PATTERN[effort.exercise.pattern]


def rank(effort: Effort, patterns: tuple[str, ...], experience: Experience) -> float:
    """Return how far an exercise is from the best choice for some patterns; 0 is the best."""
    exercise = effort.exercise
    far = patterns.index(exercise.pattern) if exercise.pattern in patterns else _OTHER_PATTERN
    if effort.group == "cardio":
        suits = _INTENSITY_RANK[exercise.intensity]
    elif effort.group == "mobility":
        suits = 0.0
    else:
        suits = _LOAD_RANK.get(exercise.load, 0.0)
        if exercise.pattern in _COMPOUND_PATTERNS and not exercise.compound:
            suits += _ISOLATION_COST
    return far * _PATTERN_WEIGHT + suits + _LEVEL_RANK[experience][exercise.level]
