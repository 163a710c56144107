"""Session grammar: the exercises of one day, as rules for a decoder: none twice, and in the time that there is.

A rule's parameter has 64 bits. The highest add up the time of the lines so far, each rounded; the others tell what
the day has named. There are more exercises than bits, so those of a pattern share its bits, by their place in a
coach's ranking: neighbours there, between which a coach chooses, never stand for each other. Doses are round numbers,
as a coach writes them, within the person's bounds.

Every line leaves time for the fewest lines a day may have, and a line that may follow is one that fits, so that no
answer gets stuck. Where a day is so short that this cannot be promised, its time is left to the checker.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate, product
from math import ceil, floor
from typing import Final, NamedTuple

from shared.coach.catalogue import EXERCISES
from shared.coach.effort import EFFORTS, WARM_UP_S, Kind
from shared.coach.lark import ALWAYS, all_of, any_of, either, quoted
from shared.coach.limits import DAY_EXERCISES, Bounds, Limits
from shared.coach.menu import menu
from shared.coach.notation import NAMED, UNIT_SUFFIX
from shared.coach.profile import UserProfile

_NAMED_BITS: Final = 58
_NAMED: Final = f"[0:{_NAMED_BITS}]"
_TIME: Final = f"[{_NAMED_BITS}:64]"
_MOST_UNITS: Final = 60
"""Into so many units at most the time of a day is cut; their counter holds a few more."""
_ROUNDED_UNITS: Final = 2
"""How far the roundings of a day's lines go astray; they rarely add up to more."""
_STEP_S: Final = 5
_SEVERAL_A_DAY: Final = {
    "mobility": 8,
    "horizontal push": 6,
    "horizontal pull": 5,
    "cardio": 5,
    "vertical push": 3,
    "vertical pull": 3,
    "lunge": 4,
    "shoulder isolation": 3,
    "elbow extension": 3,
    "elbow flexion": 2,
    "squat": 2,
    "knee extension": 2,
}
"""Patterns of which a day may hold several exercises, and the bits that they have at least; others have one."""
_REPS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 75, 90)
_REST_S: Final = (0, 15, 30, 45, 60, 75, 90, 120, 180, 240)
_LONGEST_REST_S: Final[dict[Kind, int]] = {"heavy": 300, "steady": 30, "flow": 30, "drill": 30, "stretch": 30}
_LONGEST_REST_OTHERWISE_S: Final = 90
"""Of round doses, unless more is asked for."""


class _Dosing(NamedTuple):
    """What decides which doses an exercise can have, and how long they take."""

    kind: Kind
    unit: str
    seconds: float


class _Clock(NamedTuple):
    """The time of a day after its warm-up, in units, and what its lines take of it."""

    longest: int
    shortest: int
    spare: int
    """What another line can do with, whatever the day has named."""


def session_rules(person: UserProfile, limits: Limits) -> dict[str, str]:
    """Return the rules of a day's lines and of what closes them; it begins with `lines::0x0`."""
    bits = _bits(person)
    dosings = {exercise: _dosing(exercise) for exercise in bits}
    unit_s = max(1, ceil((limits.longest_s - WARM_UP_S) / (_MOST_UNITS * _STEP_S))) * _STEP_S
    doses = {one: _doses(limits.bounds[one.kind], one, unit_s) for one in sorted(set(dosings.values()))}
    clock = _clock(limits, unit_s, {bit: min(doses[dosings[exercise]]) for exercise, bit in bits.items()})
    names: defaultdict[tuple[int, _Dosing], list[str]] = defaultdict(list)
    for exercise, bit in bits.items():
        names[bit, dosings[exercise]].append(EXERCISES[exercise].name)
    kept = (DAY_EXERCISES[0] - 1) * clock.spare if clock else 0
    return (
        {"exercises": f"lines::{kept << _NAMED_BITS}"}
        | _named(names, doses, clock)
        | _dosed(doses, clock)
        | _closed(clock)
    )


def _bits(person: UserProfile) -> dict[str, int]:
    """Return the bit of every exercise that a person may do."""
    ranked = dict(menu(person, len(EXERCISES)))
    widths = {label: min(len(names), _SEVERAL_A_DAY.get(label, 1)) for label, names in ranked.items()}
    for _ in range(_NAMED_BITS - sum(widths.values())):
        crowded = max(ranked, key=lambda label: len(ranked[label]) / widths[label])
        widths[crowded] += len(ranked[crowded]) > widths[crowded]
    firsts = dict(zip(ranked, accumulate(widths.values(), initial=0), strict=False))
    return {
        NAMED[name].id: firsts[label] + place % widths[label]
        for label, names in ranked.items()
        for place, name in enumerate(names)
    }


def _dosing(exercise: str) -> _Dosing:
    effort = EFFORTS[exercise]
    return _Dosing(effort.kind, UNIT_SUFFIX[effort.exercise.unit], effort.seconds)


@lru_cache(maxsize=4096)
def _doses(bounds: Bounds, dosing: _Dosing, unit_s: int) -> dict[int, str]:
    """Return the regular expressions of round doses by the units of time that they take. Not to be changed."""
    found: defaultdict[int, defaultdict[tuple[int, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    for sets, reps, rest_s in product(
        range(bounds.sets[0], bounds.sets[1] + 1), _round(*bounds.reps, _REPS), _rests(bounds, dosing.kind)
    ):
        units = max(1, round(sets * (reps * dosing.seconds + rest_s) / unit_s))
        if units <= _MOST_UNITS:
            found[units][sets, rest_s].append(reps)
    rir = f"[{bounds.rir[0]}-{bounds.rir[1]}]"
    return {
        units: "|".join(
            f"{sets}x{either(map(str, reps))}{dosing.unit}@{rir}\\/{rest_s}" for (sets, rest_s), reps in same.items()
        )
        for units, same in sorted(found.items())
    }


def _round(low: int, high: int, usual: Iterable[int]) -> list[int]:
    """Return the usual numbers from `low` to `high`, and `low`."""
    return sorted({low, *(number for number in usual if low <= number <= high)})


def _rests(bounds: Bounds, kind: Kind) -> list[int]:
    low = bounds.rest_s[0]
    return _round(low, max(low, _LONGEST_REST_S.get(kind, _LONGEST_REST_OTHERWISE_S)), _REST_S)


def _clock(limits: Limits, unit_s: int, quickest: dict[int, int]) -> _Clock | None:
    """Return what a day's lines may take; None where not even the fewest are sure to fit."""
    low, high = DAY_EXERCISES
    longest = floor((limits.longest_s - WARM_UP_S) / unit_s) - _ROUNDED_UNITS
    spare = sorted(quickest.values())[:high][-1]
    if len(quickest) < high or low * spare > longest:
        return None
    return _Clock(longest, max(0, ceil((limits.shortest_s - WARM_UP_S) / unit_s) + _ROUNDED_UNITS), spare)


def _named(
    names: dict[tuple[int, _Dosing], list[str]], doses: dict[_Dosing, dict[int, str]], clock: _Clock | None
) -> dict[str, str]:
    """Return the rule of a line, which is a name that the day has not named, with a dose, and all names."""
    places = {dosing: place for place, dosing in enumerate(doses)}
    rules, lines = {}, []
    for (bit, dosing), same in names.items():
        name = f"NAME{bit}_{places[dosing]}"
        rules[name] = f'/"{either(same)} /'
        new = f"bit_clear({bit})"
        fits = all_of(new, f"le({_TIME}, {clock.longest - min(doses[dosing])})") if clock else new
        lines.append(f"{name} dose{places[dosing]}::set_bit({bit}) %if {fits}")
    return {"lines::_": " | ".join(lines)} | rules


def _dosed(doses: dict[_Dosing, dict[int, str]], clock: _Clock | None) -> dict[str, str]:
    """Return the rules of doses, each of which adds its time; those that take longer than a day are left out."""
    rules: dict[str, str] = {}
    if clock is None:
        for place, units in enumerate(doses.values()):
            rules[f"dose{place}::_"] = f"DOSE{place} more::_"
            rules[f"DOSE{place}"] = f'/({"|".join(units.values())})"/'
        return rules
    longest = 0
    for place, by_units in enumerate(doses.values()):
        fitting = {units: dose for units, dose in by_units.items() if units <= clock.longest}
        longest = max(longest, *fitting)
        rules[f"dose{place}::_"] = " | ".join(
            f"DOSE{place}_{units} after{units}::_ %if le({_TIME}, {clock.longest - units})" for units in fitting
        )
        rules |= {f"DOSE{place}_{units}": f'/({dose})"/' for units, dose in fitting.items()}
    rules |= {f"after{units}::_": f"after{units - 1}::incr({_TIME}) %if {ALWAYS}" for units in range(1, longest + 1)}
    return rules | {"after0::_": f"more::_ %if {ALWAYS}"}


def _closed(clock: _Clock | None) -> dict[str, str]:
    """Return the rule of what follows a line: the end of the day, or one more, for which time was kept or is left."""
    low, high = DAY_EXERCISES
    end, another = quoted("]}"), quoted(",")
    few, enough = f"bit_count_lt({_NAMED}, {low})", f"bit_count_ge({_NAMED}, {low})"
    room = f"bit_count_lt({_NAMED}, {high})"
    if clock is None:
        return {"more::_": f"{end} %if {enough} | {another} lines::_ %if {room}"}
    left = f"le({_TIME}, {clock.longest - clock.spare})"
    ends = any_of(f"ge({_TIME}, {clock.shortest})", f"not({all_of(room, left)})")
    rules = {
        "more::_": f"{another} kept{clock.spare}::_ %if {few} | {another} lines::_ %if {all_of(enough, room, left)} | "
        f"{end} %if {all_of(enough, ends)}"
    }
    rules |= {f"kept{units}::_": f"kept{units - 1}::decr({_TIME}) %if {ALWAYS}" for units in range(1, clock.spare + 1)}
    return rules | {"kept0::_": f"lines::_ %if {ALWAYS}"}
