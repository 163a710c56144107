"""Person grammar: what may be written to one person in answer to one request, as a grammar for a decoder.

Only exercises that the person may do can be spelt, each with sets, reps, RIR and rest within its bounds. A plan
has exactly the days and the goal asked for, and its name tells no other days or minutes; the days stand in the
order of the week, up to three of them with a day of rest after each, and none names one of the 60 first choices
twice. An edit names only what stands in the plan or may be put there, and edits stand in the order of the plan.
What is not said here (the weekly balance, the length of a session) is left to the checker.

The text is in llguidance's dialect of Lark, which vLLM's `guidance` backend reads too. It depends on the
arguments alone.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from shared.coach.catalogue import EXERCISES
from shared.coach.effort import EFFORTS, Kind
from shared.coach.limits import DAY_EXERCISES, Bounds, limits_for
from shared.coach.menu import menu
from shared.coach.notation import BOUNDS
from shared.coach.plan import PlanDay, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import WEEKDAYS, Escalation, PromptType
from shared.coach.wire import ESCALATIONS

NO_FORCING: Final = '%llguidance {"no_forcing": true}'
"""Without it, text that has to come is spelt by the tokenizer up to the next choice, and a token that a model
learned to write across that point is never allowed."""
_SUFFIX: Final = {"reps": "", "seconds": "s", "minutes": "min"}
_REST_STEP_S: Final = 5
_NOTES: Final = 8
_CONTROL: Final = r"\x00-\x1f\x7f"
_PLAIN: Final = rf'[^"\\{_CONTROL}]|\\["\\\/n]'
"""A character of a text."""
_DAY_EDITS: Final = 16
"""So many changes at most are made to one day."""
_COUNTED: Final = 60
"""So many bits of a rule's parameter stand for exercises; the other four count the commas between lines."""
_OFTEN, _OFTEN_NAMES = "mobility", 10
"""A day may hold five exercises of this pattern, and so many of them can be told once."""
_BY_NAME: Final = {exercise.name: exercise.id for exercise in EXERCISES.values()}
_SPACED_DAYS: Final = 3
"""So many sessions a week fit with a day of rest after each."""


def person_grammar(
    prompt_type: PromptType, person: UserProfile, plan: WorkoutPlan | None, least: Escalation = "none"
) -> str:
    """Return the grammar of an answer to `person`, who already has everything that the request changes.

    `plan` is the one to be changed; `least` the calmest escalation that the request allows.
    """
    rules = _Rules(person, plan)
    alarms = ESCALATIONS[ESCALATIONS.index(least) :]
    answers = [rules.answer(prompt_type, alarm) for alarm in alarms]
    return "\n".join([NO_FORCING, f"start: {' | '.join(answers)}", *rules.lines(), ""])


class _Rules:
    """The rules of one grammar, each written once it is needed."""

    def __init__(self, person: UserProfile, plan: WorkoutPlan | None) -> None:
        self._person = person
        self._plan = plan
        self._limits = limits_for(person)
        self._rules: dict[str, str] = {}

    def lines(self) -> list[str]:
        return [f"{name}: {body}" for name, body in self._rules.items()]

    def answer(self, prompt_type: PromptType, alarm: Escalation) -> str:
        opening = f'{{"escalation":"{alarm}",'
        if prompt_type == "coach_chat":
            return _all(_quoted(opening + '"reply":'), self._text("REPLY", 2000), _quoted("}"))
        if prompt_type == "plan_creation":
            body = _quoted('"plan":null') if alarm == "emergency" else self._plan_rule()
        else:
            body = _quoted('"edits":[]') if alarm == "emergency" else self._edits_rule()
        return _all(_quoted(opening), body, self._rest())

    def _rest(self) -> str:
        note = self._text("NOTE", 300)
        notes = f'({note} ("," {note}){{0,{_NOTES - 1}}})?'
        said = _all(_quoted(',"explanation":'), self._text("EXPLANATION", 1200))
        return self._rule("rest", _all(said, _quoted(',"safety_notes":['), notes, _quoted("]}")))

    def _plan_rule(self) -> str:
        body = _all(self._text("LABEL", 40), _quoted(',"exercises":['), f"{self._lines()}::0x0")
        self._rule("session", body)
        week = self._week(self._person.days_per_week)
        named = _all(_quoted('"plan":{"name":'), self._title())
        days = _quoted(f',"goal":"{self._person.goal}","days":[')
        return self._rule("plan", _all(named, days, week, _quoted("]}")))

    def _title(self) -> str:
        """Return the rule of a plan's name: of numbers it may tell the days and the minutes of a session, each once."""
        days, minutes = self._person.days_per_week, self._limits.session_minutes
        text = f"({_PLAIN.replace(_CONTROL, _CONTROL + '0-9')})"
        told = (
            f"{text}{{1,80}}",
            *(f"{text}{{0,40}}{number}{text}{{0,30}}" for number in (days, minutes)),
            *(
                f"{text}{{0,30}}{first}{text}{{1,30}}{second}{text}{{0,15}}"
                for first, second in ((days, minutes), (minutes, days))
            ),
        )
        return self._terminal("TITLE", f'"({"|".join(told)})"')

    def _week(self, days: int) -> str:
        """Return the rule for so many days, in the order of the week; a few never stand on days running."""
        weeks = itertools.combinations(range(len(WEEKDAYS)), days)
        apart = (week for week in weeks if days > _SPACED_DAYS or not _running(week))
        return self._rule("week", " | ".join(' "," '.join(map(self._day, week)) for week in apart))

    def _day(self, weekday: int) -> str:
        opening = _quoted(f'{{"day":"{WEEKDAYS[weekday]}","name":')
        return self._rule(WEEKDAYS[weekday], _all(opening, "session"))

    def _lines(self) -> str:
        """Return the rule of a day's lines; its parameter counts commas, and has a bit for each exercise told once."""
        low, high = DAY_EXERCISES
        counted = f"[{_COUNTED}:64]"
        once = self._told_once()
        others = [one for one in self._limits.restrictions.allowed_in_order if one not in once]
        lines = [
            f"{self._line(f'LINE{bit}', [one])} more::set_bit({bit}) %if bit_clear({bit})"
            for bit, one in enumerate(once)
        ]
        if others:
            lines.append(f"{self._line('LINE', others)} more::_")
        # A rule of one symbol, such as one that only counts, would lose its parameter.
        enough, room = f"%if ge({counted}, {low - 1})", f"%if lt({counted}, {high - 1})"
        self._rule("more::_", f'{_quoted("]}")} {enough} | "," lines::incr({counted}) {room}')
        self._rule("lines::_", " | ".join(lines))
        return "lines"

    def _told_once(self) -> list[str]:
        """Return the exercises that no day can name twice: of each pattern those that a menu names first."""
        ranked = menu(self._person, _COUNTED)
        often = [name for pattern, names in ranked if pattern == _OFTEN for name in names[:_OFTEN_NAMES]]
        rounds = itertools.chain(often, *itertools.zip_longest(*(names for _, names in ranked)))
        names = dict.fromkeys(name for name in rounds if name is not None)
        return [_BY_NAME[name] for name in itertools.islice(names, _COUNTED)]

    def _line(self, name: str, exercises: Iterable[str]) -> str:
        return self._terminal(name, f'"{self._dosed(exercises)}"')

    def _dosed(self, exercises: Iterable[str]) -> str:
        """Return the regular expression of a line: the name of one of some exercises with numbers that suit it."""
        names: defaultdict[tuple[Kind, str], list[str]] = defaultdict(list)
        for effort in map(EFFORTS.__getitem__, exercises):
            names[effort.kind, _SUFFIX[effort.exercise.unit]].append(effort.exercise.name)
        doses = (_either(named) + _dose(self._limits.bounds[kind], unit) for (kind, unit), named in names.items())
        return f"({'|'.join(doses)})"

    def _edits_rule(self) -> str:
        """Return the rule of edits in the order of the plan: days that go, each day's changes, days that move.

        So no answer goes round in circles, and each has its end.
        """
        if self._plan is None:
            return _quoted('"edits":[]')
        days = [day.weekday for day in self._plan.days]
        free = _either(day for day in WEEKDAYS if day not in days)
        groups = [("gone", f"remove {_either(days)}", len(days))]
        groups += [(f"changed{day.weekday}", self._do(day, free), _DAY_EDITS) for day in self._plan.days]
        groups.append(("moved", f"move {_either(days)} > {free}", len(days)))
        none, some = "", ""
        for name, do, most in reversed(groups):
            edit = self._edit(name, do)
            none, some = (
                self._rule(f"{name}first", f'{edit} ("," {edit}){{0,{most - 1}}} {some} | {none}'),
                self._rule(f"{name}next", f'("," {edit}){{0,{most}}} {some}'),
            )
        return self._rule("edits", _all(_quoted('"edits":['), none, _quoted("]")))

    def _edit(self, name: str, do: str) -> str:
        spelt = self._terminal(f"DO{name.upper()}", f'"({do})"')
        body = _all(_quoted('{"do":'), spelt, _quoted(',"why":'), self._text("WHY", 240), _quoted("}"))
        return self._rule(name, body)

    def _do(self, day: PlanDay, free: str) -> str:
        """Return the regular expression of what can be done to a day."""
        able = [EXERCISES[one].name for one in self._limits.restrictions.allowed_in_order]
        there = [EXERCISES[line.exercise].name for line in day.exercises]
        names, changed = _either(there), _either(dict.fromkeys((*there, *able)))
        options = [
            f"swap {day.weekday} {names} > {_either(able)}",
            f"add {day.weekday} {self._dosed(self._limits.restrictions.allowed_in_order)}",
            f"remove {day.weekday}( {names})?",
            f"move {day.weekday} > {free}",
            *(f"{op} {day.weekday}( {changed})? {_numbers(op)}" for op in BOUNDS),
        ]
        return "|".join(options)

    def _text(self, name: str, most: int) -> str:
        return self._terminal(name, f'"({_PLAIN}){{1,{most}}}"')

    def _rule(self, name: str, body: str) -> str:
        self._rules[name] = body
        return name

    def _terminal(self, name: str, pattern: str) -> str:
        return self._rule(name, f"/{pattern}/")


def _running(week: Sequence[int]) -> bool:
    """Return whether two of some days of the week follow each other; monday follows sunday."""
    return any((day + 1) % len(WEEKDAYS) in week for day in week)


@lru_cache(maxsize=1024)
def _dose(bounds: Bounds, unit: str) -> str:
    rest = [str(seconds) for seconds in range(bounds.rest_s[0], bounds.rest_s[1] + 1) if not seconds % _REST_STEP_S]
    sets, reps, rir = (_range(*pair) for pair in (bounds.sets, bounds.reps, bounds.rir))
    return f" {sets}x{reps}{unit}@{rir}\\/{_either(rest)}"


@lru_cache(maxsize=16)
def _numbers(op: str) -> str:
    low, high = BOUNDS[op]
    return _either(str(number) for number in range(low, high + 1) if op != "rest" or not number % _REST_STEP_S)


def _range(low: int, high: int) -> str:
    return _either(str(number) for number in range(low, high + 1))


def _either(words: Iterable[str]) -> str:
    return f"({'|'.join(map(_literal, words))})"


@lru_cache(maxsize=2048)
def _literal(text: str) -> str:
    return re.sub(r"([^A-Za-z0-9 ',:;<>=_-])", r"\\\1", text)


def _all(*parts: str) -> str:
    return " ".join(parts)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
