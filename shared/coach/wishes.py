"""Wishes: what a message asks for, read out of its words, for all that acts before or without a model.

The person's grammar and the checker have to know what a message changes (days, minutes, equipment, a new
condition) before a model is asked, and the rule-based coach needs it all. Reading is by phrases
(`data/wishes.yaml`), with single typos mended. What is not understood is left to the model: then the scenario
says only what prompt type it is, and the rule-based coach stays with the plan.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, get_args

from pydantic import TypeAdapter

from shared.coach.catalogue import CONDITIONS, DATA, EQUIPMENT, EXERCISES, MEDICATIONS, read_yaml
from shared.coach.phrases import PhraseIndex, Speller, compile_phrases, kind, tokenise
from shared.coach.plan import WorkoutPlan
from shared.coach.profile import HealthIssue, UserProfile
from shared.coach.scenario import HARMLESS_IF_REFUSED, Intent, Scenario
from shared.coach.triage import triage
from shared.coach.vocabulary import WEEKDAYS, Escalation, PromptType, Severity, Weekday
from shared.frozen import Frozen

TYPE_OF: Final[dict[Intent, PromptType]] = {
    **dict.fromkeys(
        ("harder", "easier", "more_volume", "shorter", "fewer_days", "swap", "move_day", "other_equipment"),
        "plan_modification",
    ),
    **dict.fromkeys(("new_issue", "new_medication", "flare_up", "dangerous_request"), "safety_adjustment"),
    **dict.fromkeys(("plateau", "improving", "fatigue", "missed_sessions"), "progress_adaptation"),
}
_NUMBERS: Final = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_DAY_WORDS: Final[dict[str, Weekday]] = dict(
    zip(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), WEEKDAYS, strict=True)
)
_ARTICLES: Final = ("a ", "an ", "the ")
_A_WEEK: Final = frozenset({"days", "times", "sessions", "week", "wek"})
_TYPED: Final = re.compile(r"\btype (1|2|one|two|i|ii)\b", re.IGNORECASE)
_SEVERE: Final = ("severe", "unbearable", "terrible", "awful")
_MILD: Final = ("mild", "slight", "slightly", "little", "bit")
_WORSE: Final[dict[Severity, Severity]] = {"mild": "moderate", "moderate": "severe", "severe": "severe"}
_LEFT_OUT: Final[frozenset[Intent]] = frozenset({"missed_sessions", "fatigue", "plateau", "improving"})
"""Intents in which a number of days or minutes is no wish."""


class WishFile(Frozen):
    """All that is known of how people say things, as it stands in the data."""

    words: dict[str, tuple[str, ...]]
    dangerous: dict[str, tuple[str, ...]]
    intents: dict[Intent, tuple[str, ...]]
    issues: dict[str, tuple[str, ...]]
    topics: dict[str, tuple[str, ...]]
    motivation: dict[str, tuple[str, ...]]
    medical: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Reader:
    """The file and the catalogue's names, compiled; each index finds labels."""

    dangerous: PhraseIndex
    intents: PhraseIndex
    order: tuple[Intent, ...]
    issues: PhraseIndex
    medications: PhraseIndex
    equipment: PhraseIndex
    exercises: PhraseIndex
    chats: tuple[tuple[Intent, PhraseIndex], ...]
    speller: Speller


def read(prompt_type: PromptType, text: str, person: UserProfile, plan: WorkoutPlan | None) -> Scenario:
    """Return what a message of some type asks for, as far as its words tell."""
    if prompt_type == "coach_chat":
        return read_question(text, person)[0]
    if prompt_type == "plan_creation" or plan is None:
        return read_creation(text, person)
    return read_change(text, person, plan)


def read_change(text: str, person: UserProfile, plan: WorkoutPlan) -> Scenario:
    """Return what a message about the plan asks for."""
    told = _Told(text, person)
    if (alarm := _warning("plan_modification", text)) is not None:
        return alarm
    intent, topic = _intent(told, plan)
    prompt_type = TYPE_OF.get(intent, "plan_modification")
    dangerous = intent == "dangerous_request" and topic not in HARMLESS_IF_REFUSED
    escalation: Escalation = "see_professional" if told.worrying or dangerous else "none"
    wants_less = intent not in _LEFT_OUT
    return Scenario(
        prompt_type=prompt_type,
        intent=intent,
        days_per_week=told.days if intent == "fewer_days" else None,
        session_minutes=told.minutes if wants_less else None,
        equipment=told.equipment if intent == "other_equipment" else None,
        new_issues=told.issues,
        new_medication=told.medication,
        exercise=told.exercise(plan),
        topic=topic,
        escalation=escalation,
    )


def read_creation(text: str, person: UserProfile) -> Scenario:
    """Return what a message that asks for a new plan says of health, beside what the request's fields say."""
    alarm = _warning("plan_creation", text)
    if alarm is not None:
        return alarm
    told = _Told(text, person)
    escalation: Escalation = "see_professional" if told.worrying else "none"
    return Scenario(
        prompt_type="plan_creation",
        intent="new_plan",
        days_per_week=told.days,
        session_minutes=told.minutes,
        new_issues=told.issues,
        new_medication=told.medication,
        escalation=escalation,
    )


def read_question(text: str, person: UserProfile) -> tuple[Scenario, bool]:
    """Return what a chat message is about, and whether that is known; where not, the scenario says nothing."""
    alarm = _warning("coach_chat", text)
    if alarm is not None:
        return alarm, True
    told = _Told(text, person)
    for intent, index in _reader().chats:
        if found := _labels(index, told.tokens):
            escalation: Escalation = "see_professional" if intent == "out_of_scope_medical" else "none"
            return Scenario(prompt_type="coach_chat", intent=intent, topic=found[0], escalation=escalation), True
    return Scenario(prompt_type="coach_chat", intent="training_question"), False


def _warning(prompt_type: PromptType, text: str) -> Scenario | None:
    found = triage(text)
    if found.escalation == "none":
        return None
    return Scenario(prompt_type=prompt_type, intent="warning_sign", topic=found.topic, escalation=found.escalation)


class _Told:
    """The facts in a message."""

    def __init__(self, text: str, person: UserProfile) -> None:
        reader = _reader()
        self.tokens = [reader.speller.mend(token) for token in tokenise(_TYPED.sub(_one_word, text))]
        self._person = person
        known = {issue.id: issue for issue in (*person.injuries, *person.conditions)}
        found = _labels(reader.issues, self.tokens)
        self.issues = tuple(HealthIssue(id=one, severity=self._severity(known.get(one))) for one in found)
        self.flares = bool(found) and all(one in known for one in found)
        taken = {medication.id for medication in person.medications}
        self.medication = next((m for m in _labels(reader.medications, self.tokens) if m not in taken), None)
        self.worrying = any(issue.severity == "severe" for issue in self.issues)

    def _severity(self, known: HealthIssue | None) -> Severity:
        """Return how bad something is by the words; what is told again has become worse."""
        if any(word in self.tokens for word in _SEVERE):
            return "severe"
        said: Severity = "mild" if any(word in self.tokens for word in _MILD) else "moderate"
        return said if known is None else max(said, _WORSE[known.severity], key=get_args(Severity).index)

    @property
    def days(self) -> int | None:
        """The first number of days a week, 2 to 6."""
        for place, token in enumerate(self.tokens[:-1]):
            number = _whole(token)
            following = self.tokens[place + 1 : place + 4]
            if number is not None and 2 <= number <= 6 and not _A_WEEK.isdisjoint(following):
                return number
        return None

    @property
    def minutes(self) -> int | None:
        """A number of minutes a session can take, 20 to 120."""
        for number, unit in zip(self.tokens, self.tokens[1:], strict=False):
            whole = _whole(number)
            if whole is not None and unit in ("minutes", "min", "mins", "minute", "mintues") and 20 <= whole <= 120:
                return whole
        return None

    @property
    def equipment(self) -> tuple[str, ...]:
        """The equipment that is named, sorted."""
        return tuple(sorted(set(_labels(_reader().equipment, self.tokens))))

    def exercise(self, plan: WorkoutPlan) -> str | None:
        """The longest-named exercise of the plan that the message names."""
        there = {line.exercise for day in plan.days for line in day.exercises}
        named = [one for one in _labels(_reader().exercises, self.tokens) if one in there]
        return max(named, key=lambda one: len(EXERCISES[one].name), default=None)

    def days_named(self) -> list[Weekday]:
        """The weekdays that are named, in the order of the text."""
        found = (_DAY_WORDS.get(token.removesuffix("s")) for token in self.tokens)
        return [day for day in dict.fromkeys(found) if day is not None]


def _intent(told: _Told, plan: WorkoutPlan) -> tuple[Intent, str | None]:
    """Return what a change is about: what is dangerous first, health next, then what was said."""
    reader = _reader()
    if danger := _labels(reader.dangerous, told.tokens):
        return "dangerous_request", danger[0]
    if told.medication is not None:
        return "new_medication", None
    if told.issues:
        return "flare_up" if told.flares else "new_issue", None
    said = set(_labels(reader.intents, told.tokens))
    move = _move(told, plan)
    for intent in reader.order:
        if intent in said and _holds(intent, told, plan, move):
            return intent, move if intent == "move_day" else None
    return ("other_equipment" if told.equipment else "training_question"), None


def _holds(intent: Intent, told: _Told, plan: WorkoutPlan, move: str | None) -> bool:
    """Return whether what an intent needs besides its words is there."""
    match intent:
        case "move_day":
            return move is not None
        case "fewer_days":
            return told.days is not None and told.days < len(plan.days)
        case "swap":
            return told.exercise(plan) is not None
    return True


def _move(told: _Told, plan: WorkoutPlan) -> str | None:
    """Return a move from a day with training to a free one, as "mon>wed"."""
    taken = {day.weekday for day in plan.days}
    named = told.days_named()
    start = next((day for day in named if day in taken), None)
    to = next((day for day in named if day not in taken), None)
    return f"{start}>{to}" if start and to else None


def _one_word(found: re.Match[str]) -> str:
    """Join a type with its number, for in phrases all numbers are one."""
    return "typeone" if found[1].lower() in ("1", "one", "i") else "typetwo"


def _whole(token: str) -> int | None:
    return int(token) if token.isdigit() and len(token) < 4 else _NUMBERS.get(token)


def _labels(index: PhraseIndex, tokens: Sequence[str]) -> list[str]:
    """Return the labels found in a text, longest matches first; what stands inside a longer match is not one."""
    matches = sorted(index.matches(tokens), key=lambda match: (match.start - match.end, match.start))
    taken: set[int] = set()
    found: list[str] = []
    for match in matches:
        place = set(range(match.start, match.end))
        if not place & taken:
            taken |= place
            found.append(match.phrase.label)
    return list(dict.fromkeys(found))


@cache
def _reader() -> _Reader:
    file = TypeAdapter(WishFile).validate_python(read_yaml(DATA / "wishes.yaml"))
    own = {issue: names for issue, names in file.issues.items() if issue in CONDITIONS}
    issues = {one.id: (*own.get(one.id, ()), _name(one.name)) for one in CONDITIONS.values()}
    words = _every_word(file)
    return _Reader(
        dangerous=_index(file.dangerous.items(), file),
        intents=_index(file.intents.items(), file),
        order=tuple(file.intents),
        issues=_index(issues.items(), file),
        medications=_index(((one.id, _medication_names(one.name)) for one in MEDICATIONS.values()), file),
        equipment=_index(((one.id, (_name(one.name),)) for one in EQUIPMENT.values()), file),
        exercises=_index(((one.id, (_name(one.name),)) for one in EXERCISES.values()), file),
        chats=(
            ("out_of_scope_medical", _index(file.medical.items(), file)),
            ("motivation", _index(file.motivation.items(), file)),
            ("training_question", _index(file.topics.items(), file)),
        ),
        speller=Speller(words, words),
    )


def _index(entries: Iterable[tuple[str, Sequence[str]]], file: WishFile) -> PhraseIndex:
    return PhraseIndex(
        phrase for label, says in entries for phrase in compile_phrases(label, [s for s in says if s], file.words)
    )


def _every_word(file: WishFile) -> frozenset[str]:
    spelt = [*file.dangerous.values(), *file.intents.values(), *file.issues.values()]
    phrases = [text for says in spelt for text in says] + [word for words in file.words.values() for word in words]
    phrases += ["minutes", "session"]
    names = [_name(one.name) for one in EXERCISES.values()] + [_name(one.name) for one in CONDITIONS.values()]
    names += [_name(one.name) for one in EQUIPMENT.values()]
    parts = {part.strip("?") for text in (*phrases, *names) for item in text.split() for part in item.split("/")}
    return frozenset(part for part in parts if part.isalpha())


def _name(name: str) -> str:
    """Return a name of the catalogue as a phrase: its words, without an article."""
    plain = name.lower()
    for article in _ARTICLES:
        plain = plain.removeprefix(article)
    return " ".join(kind(token) for token in tokenise(_TYPED.sub(_one_word, plain)) if token.isalnum())


def _medication_names(name: str) -> tuple[str, ...]:
    return tuple(_name(one) for one in name.split(" or "))
