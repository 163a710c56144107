"""Person grammar: what may be written to one person in answer to one request, as a grammar for a decoder.

Only exercises that the person may do can be spelt, each with sets, reps, RIR and rest within its bounds. A plan
has exactly the days and the goal asked for, and its name tells no other days or minutes; the days stand in the
order of the week, up to three of them with a day of rest after each, and none names an exercise twice or takes
longer than there is time. Edits can be applied, one after the other, and leave nothing in the plan that the person
may not do. What is not said here (the weekly balance, what a day's name promises) is left to the checker.

The text is in llguidance's dialect of Lark, which vLLM's `guidance` backend reads too. It depends on the
arguments alone.
"""

import itertools
from collections.abc import Sequence
from typing import Final

from shared.coach.edits_grammar import edits_rules
from shared.coach.lark import either, quoted, sequence
from shared.coach.limits import limits_for
from shared.coach.plan import WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.session_grammar import session_rules
from shared.coach.splits import DAY_NAMES
from shared.coach.vocabulary import WEEKDAYS, Escalation, PromptType
from shared.coach.wire import ESCALATIONS

NO_FORCING: Final = '%llguidance {"no_forcing": true}'
"""Without it, text that has to come is spelt by the tokenizer up to the next choice, and a token that a model
learned to write across that point is never allowed."""
_NOTES: Final = 6
_EXPLANATION_CHARS, _NOTE_CHARS, _WHY_CHARS, _REPLY_CHARS = 500, 120, 120, 1200
"""Room for what has to be said; a small model that goes round in circles soon comes to its end."""
_CONTROL: Final = r"\x00-\x1f\x7f"
_PLAIN: Final = rf'[^"\\{_CONTROL}]|\\["\\\/n]'
"""A character of a text."""
_VISIBLE: Final = rf'[^"\\ {_CONTROL}]|\\["\\\/]'
"""A character that a text can begin with, so that it is never blank."""
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
            return sequence(quoted(opening + '"reply":'), self._text("REPLY", _REPLY_CHARS), quoted("}"))
        if prompt_type == "plan_creation":
            body = quoted('"plan":null') if alarm == "emergency" else self._plan_rule()
        else:
            body = quoted('"edits":[]') if alarm == "emergency" else self._edits_rule()
        return sequence(quoted(opening), body, self._rest())

    def _rest(self) -> str:
        note = self._text("NOTE", _NOTE_CHARS)
        notes = f'({note} ("," {note}){{0,{_NOTES - 1}}})?'
        said = sequence(quoted(',"explanation":'), self._text("EXPLANATION", _EXPLANATION_CHARS))
        return self._rule("rest", sequence(said, quoted(',"safety_notes":['), notes, quoted("]}")))

    def _plan_rule(self) -> str:
        self._rules |= session_rules(self._person, self._limits)
        self._rule("session", sequence(self._label(), quoted(',"exercises":['), "exercises"))
        week = self._week(self._person.days_per_week)
        named = sequence(quoted('"plan":{"name":'), self._title())
        days = quoted(f',"goal":"{self._person.goal}","days":[')
        return self._rule("plan", sequence(named, days, week, quoted("]}")))

    def _title(self) -> str:
        """Return the rule of a plan's name: of numbers it may tell the days and the minutes of a session, each once."""
        days, minutes = self._person.days_per_week, self._limits.session_minutes
        text, first = (f"({part.replace(_CONTROL, _CONTROL + '0-9')})" for part in (_PLAIN, _VISIBLE))
        told = (
            f"{first}{text}{{0,79}}",
            *(f"({first}{text}{{0,39}})?{number}{text}{{0,30}}" for number in (days, minutes)),
            *(
                f"({first}{text}{{0,29}})?{one}{text}{{1,30}}{other}{text}{{0,15}}"
                for one, other in ((days, minutes), (minutes, days))
            ),
        )
        return self._terminal("TITLE", f'"({"|".join(told)})"')

    def _label(self) -> str:
        """Return the rule of a day's name: one that a coach uses, so that what it promises is understood."""
        return self._terminal("LABEL", f'"{either(DAY_NAMES)}( [A-F])?"')

    def _week(self, days: int) -> str:
        """Return the rule for so many days, in the order of the week; a few never stand on days running."""
        weeks = itertools.combinations(range(len(WEEKDAYS)), days)
        apart = (week for week in weeks if days > _SPACED_DAYS or not _running(week))
        return self._rule("week", " | ".join(' "," '.join(map(self._day, week)) for week in apart))

    def _day(self, weekday: int) -> str:
        opening = quoted(f'{{"day":"{WEEKDAYS[weekday]}","name":')
        return self._rule(WEEKDAYS[weekday], sequence(opening, "session"))

    def _edits_rule(self) -> str:
        if self._plan is None:
            return quoted('"edits":[]')
        self._rule("why", sequence(quoted(',"why":'), self._text("WHY", _WHY_CHARS), quoted("}")))
        self._rules |= edits_rules(self._person, self._limits, self._plan)
        return "edits"

    def _text(self, name: str, most: int) -> str:
        return self._terminal(name, f'"({_VISIBLE})({_PLAIN}){{0,{most - 1}}}"')

    def _rule(self, name: str, body: str) -> str:
        self._rules[name] = body
        return name

    def _terminal(self, name: str, pattern: str) -> str:
        return self._rule(name, f"/{pattern}/")


def _running(week: Sequence[int]) -> bool:
    """Return whether two of some days of the week follow each other; monday follows sunday."""
    return any((day + 1) % len(WEEKDAYS) in week for day in week)
