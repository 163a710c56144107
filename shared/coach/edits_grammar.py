"""Edits grammar: changes to a plan, as rules for a decoder: each can be made, and what is ruled out goes first.

    days that go        once each; one stays
    each day that stays its lines that the person may no longer do are swapped or removed, then swaps, numbers,
                        additions and removals as anybody likes; numbers in the order of what they count, each
                        once; 20 edits at most, but for what goes
    days that move      once each, to a day that is free

Edits stand in the order of the plan. One parameter tells how far they are:

    0-6    days that went                  18-22  how many edits count
    7      whether there is an edit yet    23-34  lines of the day that went, by place
    8-11   lines of the day                35-63  what came to the day; later: days that moved, and where to
    12-17  the last number changed

What may come to a day is ranked as a coach would: the first have a bit each, can be added, and have numbers that can
be changed; the others share the last bits, and can only take another's place.

Rules of this kind are explained in `session_grammar`. The engine reads no rule that is called with a changed parameter
by another while it is itself being read; the rules named `again_` stand between.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, product, zip_longest
from typing import Final

from shared.coach.catalogue import EXERCISES
from shared.coach.effort import EFFORTS, is_counted
from shared.coach.lark import ALWAYS, all_of, any_of, either, either_number, literal, quoted, sequence
from shared.coach.limits import DAY_EXERCISES, Bounds, Limits
from shared.coach.menu import menu
from shared.coach.notation import NAMED, UNIT_SUFFIX
from shared.coach.plan import PlanDay, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import WEEKDAYS

_WRITTEN: Final = 7
_SET_WRITTEN: Final = 1 << _WRITTEN
_KEPT_BETWEEN_DAYS: Final = 0xFF | 0b11111 << 18
_LINES: Final = "[8:12]"
_NUMBER_BIT: Final = 12
_NUMBER: Final = "[12:18]"
_ANY_NUMBER: Final = 0b111111 << _NUMBER_BIT
_CHANGED: Final = "[18:23]"
_MOST_CHANGED: Final = 20
_ROOM: Final = f"lt({_CHANGED}, {_MOST_CHANGED})"
_GONE: Final = 23
_NEW: Final = 35
_FIELDS: Final = ("sets", "reps", "rir", "rest")
_EVERYWHERE: Final = ("sets", "rir", "rest")
"""What one edit can set for all working sets of a day."""
_MOST_LINES: Final = 12
_BITS: Final = 64 - _NEW
_SHARED_BITS: Final = 6
_LIKELY: Final = 4
"""So many of each pattern that a day trains are likely to come to it."""
_REST_STEP_S: Final = 15
_LONGEST_REST_S: Final = 300
_ALL_BITS: Final = (1 << 64) - 1


def edits_rules(person: UserProfile, limits: Limits, plan: WorkoutPlan) -> dict[str, str]:
    """Return the rules of a list of edits with its brackets, given `why`; it begins with `edits`."""
    days = [_Day(place, day, person, limits) for place, day in enumerate(plan.days)]
    rules = {"edits": sequence(quoted('"edits":['), "gone::0x0")}
    rules |= _going(days) | _moving(days)
    for day, following in zip(days, [*(f"enter_{day.weekday}" for day in days[1:]), "moved"], strict=True):
        rules |= day.rules(following)
    return rules


def _opened(then: str, condition: str) -> list[str]:
    """Return the alternatives of an edit's beginning, with a comma where it is not the first."""
    first, later = quoted('{"do":'), quoted(',{"do":')
    return [
        f"{first} {then}::_ %if {all_of(f'bit_clear({_WRITTEN})', condition)}",
        f"{later} {then}::_ %if {all_of(f'bit_set({_WRITTEN})', condition)}",
    ]


def _going(days: "list[_Day]") -> dict[str, str]:
    """Return the rules of the days that go."""
    some_stay = f"bit_count_lt([0:{_WRITTEN}], {len(days) - 1})"
    goes = [
        f"GONE_{day.weekday.upper()} why again_gone::bit_or({_SET_WRITTEN | 1 << day.place}) %if bit_clear({day.place})"
        for day in days
    ]
    enter = f"enter_{days[0].weekday}::_ %if {ALWAYS}"
    return {
        "gone::_": " | ".join([*_opened("going", some_stay), enter]),
        "going::_": " | ".join(goes),
        "again_gone::_": f"gone::_ %if {ALWAYS}",
        **{f"GONE_{day.weekday.upper()}": f'/"remove {day.weekday}"/' for day in days},
    }


def _moving(days: "list[_Day]") -> dict[str, str]:
    """Return the rules of the days that move, and of the end."""
    taken = {day.weekday for day in days}
    free = [(place, day) for place, day in enumerate(WEEKDAYS) if day not in taken]
    moves = {
        f"MOVED_{day.weekday.upper()}_{to.upper()}": (
            f'/"move {day.weekday} > {to}"/',
            all_of(f"bit_clear({day.place})", f"bit_clear({_GONE + day.place})", f"bit_clear({_NEW + place})"),
            _SET_WRITTEN | 1 << _GONE + day.place | 1 << _NEW + place,
        )
        for day in days
        for place, to in free
    }
    end = f"{quoted(']')} %if {ALWAYS}"
    if not moves:
        return {"moved::_": end}
    some_left = any_of(*(all_of(f"bit_clear({day.place})", f"bit_clear({_GONE + day.place})") for day in days))
    some_free = f"bit_count_lt([{_NEW}:{_NEW + len(WEEKDAYS)}], {len(free)})"
    return {
        "moved::_": " | ".join([*_opened("moving", all_of(some_left, some_free)), end]),
        "again_moved::_": f"moved::_ %if {ALWAYS}",
        "moving::_": " | ".join(
            f"{name} why again_moved::bit_or({bits}) %if {holds}" for name, (_, holds, bits) in moves.items()
        ),
        **{name: spelt for name, (spelt, _, _) in moves.items()},
    }


_Option = tuple[str, str, str]
"""A terminal's name, what it spells, and what follows it under which condition."""


class _Day:
    """The rules of one day's changes."""

    def __init__(self, place: int, day: PlanDay, person: UserProfile, limits: Limits) -> None:
        self.place = place
        self.weekday = day.weekday
        self._bounds = limits.bounds
        self._lines = [line.exercise for line in day.exercises]
        self._new = _new_names(person, frozenset(self._lines))
        able = limits.restrictions.allowed
        self._ruled_out = [bit for bit, one in enumerate(self._lines) if one not in able] if self._new else []

    def rules(self, following: str) -> dict[str, str]:
        """Return the rules, which end in that of what follows."""
        day, all_right = self.weekday, self._all_right()
        here = f"in_{day}::bit_or({len(self._lines) << 8}) %if bit_clear({self.place})"
        rules = {
            f"enter_{day}::_": f"{here} | {following}::_ %if bit_set({self.place})",
            f"again_{day}::_": f"in_{day}::_ %if {ALWAYS}",
            f"leave_{day}::_": f"left_{day}::bit_and({_KEPT_BETWEEN_DAYS}) %if {ALWAYS}",
            f"left_{day}::_": f"{following}::_ %if {ALWAYS}",
            f"counted_{day}::_": f"again_{day}::incr({_CHANGED}) %if {ALWAYS}",
            f"fewer_{day}::_": f"again_{day}::decr({_LINES}) %if {ALWAYS}",
            f"added_{day}::_": f"counted_{day}::incr({_LINES}) %if {ALWAYS}",
            f"in_{day}::_": " | ".join([*_opened(f"do_{day}", self._possible()), f"leave_{day}::_ %if {all_right}"]),
        }
        options: list[str] = []
        for name, spelt, option in (*self._swaps(), *self._numbers(), *self._additions(), *self._removals()):
            options.append(f"{name} {option}")
            rules[name] = spelt
        for number in range(1, _number_of("rest", _MOST_LINES) + 1):
            noted = f"counted_{day}::bit_or({_SET_WRITTEN | number << _NUMBER_BIT})"
            rules[f"number_{day}_{number}::_"] = f"{noted} %if {ALWAYS}"
        for bit, names in enumerate(self._new):
            rules[f"NEW_{day.upper()}_{bit}"] = f'/{either(names)}"/'
        into = (
            f"NEW_{day.upper()}_{bit} why counted_{day}::set_bit({_NEW + bit}) %if bit_clear({_NEW + bit})"
            for bit in range(len(self._new))
        )
        if self._new:
            rules[f"into_{day}::_"] = " | ".join(into)
        return rules | {f"do_{day}::_": " | ".join(options)} | self._added()

    def _all_right(self) -> str:
        """Return the condition that what is ruled out has gone."""
        return all_of(ALWAYS, *(f"bit_set({_GONE + bit})" for bit in self._ruled_out))

    def _possible(self) -> str:
        """Return the condition that there is something left to be done."""
        everything = range(len(self._lines))
        lines = [bit for bit in everything if bit not in self._ruled_out]
        numbers = (
            f"lt({_NUMBER}, {_number_of('rest')})",
            *(all_of(f"bit_clear({_GONE + bit})", f"lt({_NUMBER}, {_number_of('rest', bit)})") for bit in lines),
        )
        return any_of(
            f"not({self._all_right()})",
            all_of(_ROOM, any_of(*numbers)),
            *([all_of(_ROOM, self._room())] if self._new else []),
            all_of(f"gt({_LINES}, {DAY_EXERCISES[0]})", any_of(*(f"bit_clear({_GONE + bit})" for bit in everything))),
        )

    def _free(self) -> str:
        return f"bit_count_lt([{_NEW}:{_NEW + len(self._new)}], {len(self._new)})"

    def _room(self) -> str:
        """Return the condition that something may be added."""
        alone = sum(1 for _ in self._alone())
        return all_of(f"lt({_LINES}, {DAY_EXERCISES[1]})", f"bit_count_lt([{_NEW}:{_NEW + alone}], {alone})")

    def _alone(self) -> Iterator[tuple[int, str]]:
        """Yield what has a bit of its own, and therefore can be added, or changed once it has come."""
        return ((bit, names[0]) for bit, names in enumerate(self._new) if len(names) == 1)

    def _swaps(self) -> Iterator[_Option]:
        if not self._new:
            return
        for bit, one in enumerate(self._lines):
            room = [] if bit in self._ruled_out else [_ROOM]
            holds = all_of(f"bit_clear({_GONE + bit})", self._free(), *self._in_turn(bit), *room)
            spelt = f'/"swap {self.weekday} {_name(one)} > /'
            yield f"SWAP_{self.weekday.upper()}_{bit}", spelt, f"into_{self.weekday}::{_went(bit)} %if {holds}"

    def _removals(self) -> Iterator[_Option]:
        enough_come = len(self._new) >= len(self._ruled_out)
        for bit, one in enumerate(self._lines):
            least = 1 if bit in self._ruled_out and not enough_come else DAY_EXERCISES[0]
            holds = all_of(f"bit_clear({_GONE + bit})", f"gt({_LINES}, {least})", *self._in_turn(bit))
            spelt = f'/"remove {self.weekday} {_name(one)}"/'
            yield f"REMOVE_{self.weekday.upper()}_{bit}", spelt, f"why fewer_{self.weekday}::{_went(bit)} %if {holds}"

    def _in_turn(self, bit: int) -> list[str]:
        """Return the conditions under which a line may go: at once where it is ruled out, else after those."""
        return [] if bit in self._ruled_out else [self._all_right()]

    def _numbers(self) -> Iterator[_Option]:
        day, all_right = self.weekday, self._all_right()
        for op in _EVERYWHERE:
            yield self._number(_number_of(op), f"{op} {day} {self._everywhere()[op]}", all_right)
        for op, (bit, one) in product(_FIELDS, enumerate(self._lines)):
            if bit not in self._ruled_out:
                holds = all_of(f"bit_clear({_GONE + bit})", all_right)
                spelt = f"{op} {day} {_name(one)} {self._allowed(one)[op]}"
                yield self._number(_number_of(op, bit), spelt, holds)
        for bit, name in self._alone():
            holds = all_of(f"bit_set({_NEW + bit})", _ROOM, all_right)
            allowed = self._allowed(NAMED[name].id)
            spelt = "|".join(f"{op} {day} {literal(name)} {allowed[op]}" for op in _FIELDS)
            yield (
                f"CAME_{day.upper()}_{bit}",
                f'/"({spelt})"/',
                f"why counted_{day}::bit_or({_SET_WRITTEN}) %if {holds}",
            )

    def _number(self, number: int, spelt: str, holds: str) -> _Option:
        later = all_of(f"lt({_NUMBER}, {number})", _ROOM, holds)
        noted = f"number_{self.weekday}_{number}::bit_and({_ALL_BITS ^ _ANY_NUMBER})"
        return f"NUMBER_{self.weekday.upper()}_{number}", f'/"{spelt}"/', f"why {noted} %if {later}"

    def _allowed(self, exercise: str) -> dict[str, str]:
        return _numbers_of(self._bounds[EFFORTS[exercise].kind])

    def _everywhere(self) -> dict[str, str]:
        """Return the regular expressions of what the numbers of all working sets may be."""
        counted = [self._bounds[EFFORTS[one].kind] for one in self._lines if one in EFFORTS and is_counted(one)]
        strictest = counted or [self._bounds["light"]]
        sets = max(one.sets[0] for one in strictest), min(one.sets[1] for one in strictest)
        rests = max(one.rest_s[0] for one in strictest), _LONGEST_REST_S
        return _numbers_of(Bounds(sets, (1, 1), strictest[0].rir, rests))

    def _additions(self) -> Iterator[_Option]:
        if self._new:
            holds = all_of(self._all_right(), _ROOM, self._room())
            yield f"ADD_{self.weekday.upper()}", f'/"add {self.weekday} /', f"adding_{self.weekday}::_ %if {holds}"

    def _added(self) -> dict[str, str]:
        """Return the rules of the lines that may be added."""
        day, lines, options = self.weekday, dict[str, str](), []
        for bit, name in self._alone():
            lines[f"LINE_{day.upper()}_{bit}"] = f'/{self._dosed(name)}"/'
            after = f"added_{day}::bit_or({_SET_WRITTEN | 1 << _NEW + bit})"
            options.append(f"LINE_{day.upper()}_{bit} why {after} %if bit_clear({_NEW + bit})")
        return {f"adding_{day}::_": " | ".join(options), **lines} if options else {}

    def _dosed(self, name: str) -> str:
        effort = EFFORTS[NAMED[name].id]
        numbers = _numbers_of(self._bounds[effort.kind])
        unit = UNIT_SUFFIX[effort.exercise.unit]
        return f"{literal(name)} {numbers['sets']}x{numbers['reps']}{unit}@{numbers['rir']}\\/{numbers['rest']}"


def _number_of(op: str, line: int = -1) -> int:
    """Return the place of a number among all of a day's: by what it counts, for all sets, then line by line."""
    return 1 + _FIELDS.index(op) * (_MOST_LINES + 1) + line + 1


def _went(bit: int) -> str:
    return f"bit_or({_SET_WRITTEN | 1 << _GONE + bit})"


def _name(exercise: str) -> str:
    return literal(EXERCISES[exercise].name if exercise in EXERCISES else exercise)


@lru_cache(maxsize=1024)
def _numbers_of(bounds: Bounds) -> dict[str, str]:
    """Return the regular expressions of what each number may be. Not to be changed."""
    low, high = bounds.rest_s
    rests = [seconds for seconds in range(low, high + 1) if seconds == low or not seconds % _REST_STEP_S]
    return {
        "sets": either_number(*bounds.sets),
        "reps": either_number(*bounds.reps),
        "rir": either_number(*bounds.rir),
        "rest": either(map(str, rests)),
    }


def _new_names(person: UserProfile, there: frozenset[str]) -> list[list[str]]:
    """Return what may come to a day, by bit: one name each for the likeliest, then those that share one."""
    names = [[name for name in names if NAMED[name].id not in there] for _, names in menu(person, len(EXERCISES))]
    patterns = {EXERCISES[one].pattern for one in there if one in EXERCISES}
    like = [ranked[:_LIKELY] for ranked in names if ranked and NAMED[ranked[0]].pattern in patterns]
    rounds = chain(*zip_longest(*like), *zip_longest(*names))
    order = list(dict.fromkeys(name for name in rounds if name is not None))
    alone, others = order[: _BITS - _SHARED_BITS], order[_BITS - _SHARED_BITS :]
    return [[name] for name in alone] + [shared for bit in range(_SHARED_BITS) if (shared := others[bit::_SHARED_BITS])]
