"""Triage: warning signs in a person's own words, which come before any coaching.

How people say them stands in data/warning_signs.yaml. Typos in longer words are mended, what only
sounds alarming is struck out ("chest day"), and what is denied does not count ("no chest pain or
dizziness"). In doubt a sign counts: between a denial and a sign only words that plainly belong to
the denial may stand. Pure, and the same in every process.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from shared.coach.catalogue import DATA, read_yaml
from shared.coach.phrases import (
    COMMA,
    STOP,
    Match,
    Phrase,
    PhraseIndex,
    Speller,
    compile_phrases,
    numbers,
    tokenise,
)
from shared.coach.vocabulary import Escalation
from shared.errors import Rejected
from shared.frozen import Frozen

_DENIALS: Final = frozenset(
    "no not without zero never deny denies denied dont doesnt didnt havent hasnt hadnt isnt wasnt arent "
    "nor neither".split()
)
_DENY_ONE: Final = frozenset("not isnt wasnt arent".split())
"""Denials that a comma ends: "not dizzy, chest pain"; not so after one of `_DO`."""
_DO: Final = frozenset("do does did have has had".split())
_BELONGS: Final = frozenset(
    "i im ive have had having has feel felt feeling get got getting any a an the my of or and nor in is it "
    "am been experience experienced experiencing notice noticed noticing more longer signs symptoms such as "
    "like other kind really ever on at all do did".split()
)
"""Words that may stand between a denial and what it denies."""
_UNDOES: Final = frozenset("sure know idea only just matter wonder because think doubt".split())
"""Right after a denial these undo it: "not sure", "don't know", "no idea", "not only"."""
_ANSWERS: Final = frozenset((COMMA, *"i im ive my it its there".split()))
"""After a `no` that answers something: "no, I have chest pain"."""
_FIRST_TIME: Final = frozenset("before until this so like".split())
"""After a sign these undo a `never`: "never had chest pain like this"."""

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Triage:
    """What a text calls for: its most urgent warning sign, and what to tell the person about it."""

    escalation: Escalation
    topic: str | None
    """The sign's id."""
    sentence: str
    """Empty without a sign."""


NOTHING: Final = Triage("none", None, "")


class AlarmRanges(Frozen):
    """Values that alarm, for the first and the second number of a phrase."""

    first: tuple[Range, ...] = ()
    second: tuple[Range, ...] = ()


class WarningSign(Frozen):
    """Something that must be answered before any coaching, and how people say it."""

    id: str
    escalation: Literal["see_professional", "emergency"]
    sentence: Annotated[str, Field(min_length=10, max_length=240)]
    says: Annotated[tuple[str, ...], Field(min_length=1)]
    unless: tuple[str, ...] = ()
    """Phrases in the same sentence that take the alarm out of it."""
    ranges: AlarmRanges | None = None
    """For phrases that hold numbers; without ranges, and without numbers, a phrase always alarms."""


class SignFile(Frozen):
    """All that triage knows, as it stands in the data."""

    words: dict[str, tuple[str, ...]]
    not_typos: tuple[str, ...]
    false_alarms: tuple[str, ...]
    signs: tuple[WarningSign, ...]


@dataclass(frozen=True, slots=True)
class _Knowledge:
    """The file, compiled."""

    signs: dict[str, WarningSign]
    """The most urgent first."""
    said: PhraseIndex
    unless: PhraseIndex
    false_alarms: PhraseIndex
    belongs: frozenset[str]
    """Words that may stand between a denial and what it denies, those of other signs among them."""
    speller: Speller


def warning_signs() -> dict[str, WarningSign]:
    """Return the warning signs by id, emergencies first."""
    return _knowledge().signs


@lru_cache(maxsize=1024)
def triage(text: str) -> Triage:
    """Return the most urgent warning sign in a text; among equals the one that the data lists first."""
    known = _knowledge()
    tokens = [known.speller.mend(token) for token in tokenise(text)]
    if not any(known.said.matches(tokens)):
        return NOTHING
    found = _signs_in(_without_false_alarms(tokens))
    sign = next((sign for sign in known.signs.values() if sign.id in found), None)
    return Triage(sign.escalation, sign.id, sign.sentence) if sign else NOTHING


def _without_false_alarms(tokens: Sequence[str]) -> list[str]:
    kept = list(tokens)
    for match in _knowledge().false_alarms.matches(tokens):
        kept[match.start : match.end] = [COMMA] * (match.end - match.start)
    return kept


def _signs_in(tokens: Sequence[str]) -> set[str]:
    """Return the signs that are said, not denied, and not excused by their sentence."""
    known = _knowledge()
    excused = {(match.phrase.label, _sentence(tokens, match)) for match in known.unless.matches(tokens)}
    return {
        match.phrase.label
        for match in known.said.matches(tokens)
        if _alarms(match, tokens)
        and not _denied(match, tokens)
        and (match.phrase.label, _sentence(tokens, match)) not in excused
    }


def _sentence(tokens: Sequence[str], match: Match) -> int:
    """Return which sentence of the text a match stands in."""
    return tokens[: match.start].count(STOP)


def _alarms(match: Match, tokens: Sequence[str]) -> bool:
    ranges = _knowledge().signs[match.phrase.label].ranges
    if ranges is None or not match.phrase.words & {"#", "#/#"}:
        return True
    values = numbers(tokens[match.start : match.end])
    return any(
        low <= value <= high
        for value, alarming in zip(values, (ranges.first, ranges.second), strict=False)
        for low, high in alarming
    )


def _denied(match: Match, tokens: Sequence[str]) -> bool:
    inside = tokens[match.start : match.end]
    if any(token in _DENIALS and token not in match.phrase.words for token in inside):
        return True
    return "free" in tokens[match.start : match.end + 1] or _denied_before(match, tokens)


def _denied_before(match: Match, tokens: Sequence[str]) -> bool:
    """Return whether a denial leads up to a match with nothing in between but what belongs to it."""
    belongs = _knowledge().belongs
    comma = False
    for at in range(match.start - 1, -1, -1):
        token = tokens[at]
        if token in _DENIALS:
            reaches = not comma or token not in _DENY_ONE or (at > 0 and tokens[at - 1] in _DO)
            return reaches and not _undone(token, tokens[at + 1], match, tokens)
        comma = comma or token == COMMA
        if token != COMMA and token not in belongs:
            return False
    return False


def _undone(denial: str, following: str, match: Match, tokens: Sequence[str]) -> bool:
    """Return whether a word of denial denies nothing after all."""
    if following in _UNDOES or (denial == "no" and following in _ANSWERS):
        return True
    return denial == "never" and not _FIRST_TIME.isdisjoint(tokens[match.end : match.end + 3])


@cache
def _knowledge() -> _Knowledge:
    file = _read()
    signs = {sign.id: sign for sign in sorted(file.signs, key=lambda sign: sign.escalation != "emergency")}
    said = [p for sign in file.signs for p in compile_phrases(sign.id, sign.says, file.words)]
    unless = [p for sign in file.signs for p in compile_phrases(sign.id, sign.unless, file.words)]
    false_alarms = compile_phrases("false_alarms", file.false_alarms, file.words)
    said_words = _all_words(said)
    known = said_words | _all_words(unless) | _all_words(false_alarms) | _BELONGS | _DENIALS
    return _Knowledge(
        signs=signs,
        said=PhraseIndex(said),
        unless=PhraseIndex(unless),
        false_alarms=PhraseIndex(false_alarms),
        belongs=_BELONGS | said_words,
        speller=Speller(said_words, known | frozenset(file.not_typos)),
    )


def _all_words(phrases: Sequence[Phrase]) -> frozenset[str]:
    return frozenset().union(*(phrase.words for phrase in phrases))


def _read() -> SignFile:
    try:
        return SignFile.model_validate(read_yaml(DATA / "warning_signs.yaml"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Rejected(f"warning_signs.yaml, {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
