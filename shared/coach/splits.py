"""Splits: how a week is divided into sessions, and what each session is made of.

A session is a list of slots, the most important first; a short one takes only the first few. A day's
label is what it promises, so every wording in here has to keep it (see `focus`).
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from shared.coach.choices import Slot
from shared.coach.effort import Group
from shared.coach.vocabulary import Experience, Goal, Weekday

Focus = Literal["full", "upper", "lower", "push", "pull", "legs", "cardio", "mobility"]

SESSIONS: dict[Focus, tuple[tuple[Slot, ...], ...]] = {
    "full": (
        ("squat", "press", "row", "core", "hinge", "overhead", "pulldown", "calves", "arms_pull"),
        ("hinge", "pulldown", "overhead", "trunk", "lunge", "press", "row", "delts", "hips"),
        ("lunge", "row", "press", "core", "hamstrings", "pulldown", "delts", "arms_push", "carry"),
    ),
    "upper": (
        ("press", "row", "overhead", "pulldown", "delts", "arms_pull", "arms_push", "core", "rear_delts"),
        ("pulldown", "overhead", "row", "press", "rear_delts", "arms_push", "arms_pull", "trunk", "delts"),
        ("row", "press", "pulldown", "delts", "overhead", "arms_pull", "arms_push", "core", "rear_delts"),
    ),
    "lower": (
        ("squat", "hinge", "lunge", "core", "hamstrings", "calves", "quads", "hips", "trunk"),
        ("hinge", "squat", "quads", "trunk", "hips", "calves", "lunge", "hamstrings", "carry"),
        ("lunge", "hinge", "quads", "core", "calves", "hamstrings", "hips", "squat", "trunk"),
    ),
    "push": (
        ("press", "overhead", "delts", "press", "arms_push", "core", "overhead", "arms_push", "delts"),
        ("overhead", "press", "arms_push", "delts", "press", "trunk", "arms_push", "delts", "press"),
    ),
    "pull": (
        ("pulldown", "row", "arms_pull", "core", "rear_delts", "row", "arms_pull", "pulldown", "carry"),
        ("row", "pulldown", "arms_pull", "trunk", "rear_delts", "row", "arms_pull", "pulldown", "carry"),
    ),
    "legs": (
        ("squat", "hinge", "lunge", "core", "hamstrings", "calves", "quads", "hips", "trunk"),
        ("hinge", "lunge", "quads", "trunk", "hips", "calves", "squat", "hamstrings", "carry"),
    ),
    "cardio": (
        ("easy_cardio", "core", "mobility", "cardio", "trunk", "mobility"),
        ("easy_cardio", "trunk", "mobility", "cardio", "core", "mobility"),
    ),
    "mobility": (
        ("mobility", "mobility", "easy_cardio", "core", "mobility", "mobility", "trunk"),
        ("mobility", "core", "mobility", "easy_cardio", "mobility", "mobility", "trunk"),
    ),
}
"""The makings of each kind of session; the second time in a week comes the second list."""

_WEEKDAYS: dict[int, tuple[tuple[Weekday, ...], ...]] = {
    2: (("mon", "thu"), ("tue", "fri"), ("wed", "sat"), ("tue", "sat"), ("mon", "fri")),
    3: (("mon", "wed", "fri"), ("tue", "thu", "sat"), ("mon", "wed", "sat"), ("tue", "fri", "sun")),
    4: (("mon", "tue", "thu", "sat"), ("mon", "tue", "thu", "fri"), ("tue", "wed", "fri", "sun")),
    5: (
        ("mon", "tue", "wed", "fri", "sat"),
        ("mon", "tue", "thu", "fri", "sat"),
        ("tue", "wed", "thu", "sat", "sun"),
    ),
    6: (("mon", "tue", "wed", "thu", "fri", "sat"), ("tue", "wed", "thu", "fri", "sat", "sun")),
}
_SPACED_WEEKDAYS: dict[int, tuple[tuple[Weekday, ...], ...]] = {
    4: (("mon", "tue", "thu", "sat"), ("tue", "wed", "fri", "sun")),
    5: (("mon", "tue", "wed", "thu", "fri"), ("tue", "wed", "thu", "fri", "sat")),
    6: (("mon", "tue", "wed", "thu", "fri", "sat"), ("tue", "wed", "thu", "fri", "sat", "sun")),
}
_SPACED: dict[int, tuple[Focus, ...]] = {
    4: ("full", "cardio", "full", "full"),
    5: ("full", "cardio", "full", "mobility", "full"),
    6: ("full", "cardio", "full", "mobility", "full", "cardio"),
}
"""Full-body days with a day off or an easy one between them."""

_FULL: tuple[Focus, ...] = ("full", "full", "full")
_UPPER_LOWER: tuple[Focus, ...] = ("upper", "lower", "upper", "lower")
_WITH_EASY_DAYS: tuple[Focus, ...] = ("upper", "lower", "cardio", "upper", "lower", "mobility")
_PUSH_PULL_LEGS: dict[int, tuple[Focus, ...]] = {
    5: ("push", "pull", "legs", "upper", "lower"),
    6: ("push", "pull", "legs", "push", "pull", "legs"),
}

_LABELS: dict[Focus, tuple[str, ...]] = {
    "full": ("Full Body", "Whole Body", "Total Body", "Full Body Basics"),
    "upper": ("Upper Body", "Upper", "Upper Body Push and Pull"),
    "lower": ("Lower Body", "Lower", "Legs and Glutes"),
    "push": ("Push", "Push Day", "Chest, Shoulders and Triceps"),
    "pull": ("Pull", "Pull Day", "Back and Biceps"),
    "legs": ("Legs", "Leg Day", "Legs and Glutes"),
    "cardio": ("Cardio and Core", "Conditioning", "Cardio and Mobility", "Endurance"),
    "mobility": ("Mobility and Core", "Mobility", "Recovery and Mobility", "Mobility and Balance"),
}
DAY_NAMES = tuple(dict.fromkeys(label for labels in _LABELS.values() for label in labels))
"""What a coach calls a day; a letter after it tells variations of it apart."""
_ENOUGH_FOR_PUSH_PULL_LEGS = 6
_ENOUGH_FOR_UPPER_LOWER = 4


class SessionPlan(NamedTuple):
    """A session to be filled: when, what about, under which name, and which of its variations."""

    weekday: Weekday
    focus: Focus
    name: str
    variation: int


def split(
    days: int, goal: Goal, experience: Experience, sizes: Mapping[Group, int], chance: float
) -> tuple[SessionPlan, ...]:
    """Return the sessions of a week, in weekday order; `chance`, from 0 to 1, picks among equals."""
    focuses = _focuses(days, goal, experience, sizes, chance)
    spaced = days > 3 and focuses == _SPACED.get(days)
    options = (_SPACED_WEEKDAYS if spaced else _WEEKDAYS)[days]
    weekdays = options[int(chance * 997) % len(options)]
    seen: dict[Focus, int] = {}
    sessions = []
    for weekday, focus in zip(weekdays, focuses, strict=True):
        variation = seen.get(focus, 0)
        seen[focus] = variation + 1
        name = _name(focus, variation, focuses.count(focus), chance)
        sessions.append(SessionPlan(weekday, focus, name, variation))
    return tuple(sessions)


def _focuses(
    days: int, goal: Goal, experience: Experience, sizes: Mapping[Group, int], chance: float
) -> tuple[Focus, ...]:
    if days <= 3:
        return _FULL[:days]
    upper = min(sizes["push"], sizes["pull"])
    legs = sizes["legs"]
    builds = goal in {"strength", "muscle_gain"}
    if min(upper, legs) < _ENOUGH_FOR_UPPER_LOWER or (experience == "beginner" and (days > 4 or not builds)):
        return _SPACED[days]
    if days == 4:
        return _UPPER_LOWER
    if min(upper, legs) < _ENOUGH_FOR_PUSH_PULL_LEGS or not (builds or chance < 0.5):
        return _WITH_EASY_DAYS[:days]
    return _PUSH_PULL_LEGS[days]


def _name(focus: Focus, variation: int, times: int, chance: float) -> str:
    labels = _LABELS[focus]
    label = labels[int(chance * 7919) % len(labels)]
    return f"{label} {'ABCDEF'[variation]}" if times > 1 else label
