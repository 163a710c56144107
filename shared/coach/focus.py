"""Focus: what the name of a day promises, in whole words, and whether the day keeps it."""

import re
from functools import lru_cache
from typing import NamedTuple

from shared.coach.effort import Group

MAIN_SHARE = 0.6
"""Of a day's working sets, how many at least train what its name says."""
_LEAST_SETS = 2

_WORDS: dict[str, tuple[Group, ...]] = {
    **dict.fromkeys(("push", "chest", "pressing", "triceps"), ("push",)),
    **dict.fromkeys(("pull", "back", "pulling", "biceps"), ("pull",)),
    **dict.fromkeys(("legs", "leg", "lower", "glutes", "glute", "quads", "hamstrings", "calves", "squat"), ("legs",)),
    **dict.fromkeys(("upper", "arms", "shoulders"), ("push", "pull")),
    **dict.fromkeys(("core", "abs", "trunk"), ("core",)),
    **dict.fromkeys(("cardio", "conditioning", "endurance", "intervals", "hiit"), ("cardio",)),
    **dict.fromkeys(("mobility", "stretching", "stretch", "flexibility", "recovery", "balance"), ("mobility",)),
}
_WHOLE_BODY = re.compile(r"\b(full|whole|total)[ -]body\b")
_WORD = re.compile(r"[a-z]+")
_ACCESSORY: frozenset[Group] = frozenset({"core", "cardio", "mobility"})
"""Groups that any day may hold beside what it is named after."""


class Promise(NamedTuple):
    """What a name says the day trains."""

    groups: frozenset[Group]
    whole_body: bool


@lru_cache(maxsize=4096)
def promise(name: str) -> Promise:
    """Return what a day's name promises: no groups where it speaks of nothing that is trained."""
    text = name.lower()
    groups = frozenset(group for word in _WORD.findall(text) for group in _WORDS.get(word, ()))
    whole = _WHOLE_BODY.search(text) is not None
    return Promise(groups | {"push", "pull", "legs"} if whole else groups, whole)


def broken_promise(name: str, sets: dict[Group, float]) -> str | None:
    """Return how a day with these sets by group fails its name, or None where it keeps it."""
    groups, whole_body = promise(name)
    if not groups:
        return None
    named = sum([count for group, count in sets.items() if group in groups])
    counted = sum([count for group, count in sets.items() if group in groups or group not in _ACCESSORY])
    if named < min(_LEAST_SETS, counted) or named < MAIN_SHARE * counted or not named:
        return f"{named:g} of {counted:g} working sets train {'/'.join(sorted(groups))}; allowed is 60 % or more"
    if whole_body and not (sets.get("legs") and (sets.get("push") or sets.get("pull"))):
        return "a full-body day needs sets for the legs and for the upper body"
    return None
