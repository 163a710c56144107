"""Phrases: a small language to say how people say things, and a matcher over the words of a text.

A phrase is items in a row: `a/b` stands for either word, `@name` for a set of words, a trailing `?`
makes an item optional, `_` stands for up to three words, `#` for a number and `#/#` for a ratio such
as 120/80. Matching is over tokens, found by their first word, so that a text costs its length and
not the number of phrases. Nothing matches across a comma or the end of a sentence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

from shared.errors import Rejected

COMMA: Final = ","
"""Stands where a phrase ends but a sentence goes on."""
STOP: Final = "|"
"""Stands where a sentence or a thought ends."""

_MAX_GAP: Final = 3
_GAP: Final[frozenset[str]] = frozenset()
_BUT: Final = frozenset("but however although though except yet".split())
_TOKEN: Final = re.compile(r"\d+(?:\.\d+)?(?:/\d+)?|[a-z]+|[.!?;:,\n()]")
_RATIO: Final = re.compile(r"\b(\d{2,3})\s*(?:/|over)\s*(\d{2,3})\b")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}\b)")
_DECIMAL_COMMA: Final = re.compile(r"(?<=\d),(?=\d\b)")
_APOSTROPHES: Final = str.maketrans("", "", "'`\u2018\u2019")
_ENDINGS: Final = frozenset((*_BUT, *".!?;:\n()"))

Item = frozenset[str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row, of which each item allows some; an empty item is a gap."""

    label: str
    items: tuple[Item, ...]

    @property
    def words(self) -> frozenset[str]:
        """All words that it is made of."""
        return frozenset().union(*self.items)


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase found at tokens[start:end]."""

    phrase: Phrase
    start: int
    end: int


def compile_phrases(label: str, spelt: Iterable[str], sets: Mapping[str, Sequence[str]]) -> list[Phrase]:
    """Return phrases from their spelling, one for each choice of optional items; raises Rejected."""
    return [
        Phrase(label, tuple(item for item in chosen if item is not None))
        for text in spelt
        for chosen in product(*(_choices(item, label, sets) for item in text.split()))
    ]


def _choices(item: str, label: str, sets: Mapping[str, Sequence[str]]) -> tuple[Item | None, ...]:
    optional = item.endswith("?")
    words = _words(item.removesuffix("?"), label, sets)
    return (words, None) if optional else (words,)


def _words(item: str, label: str, sets: Mapping[str, Sequence[str]]) -> Item:
    if item == "_":
        return _GAP
    if item == "#/#":
        return frozenset((item,))
    words: set[str] = set()
    for word in item.split("/"):
        if word.startswith("@"):
            if word[1:] not in sets:
                raise Rejected(f"{label}: there is no set of words {word!r}")
            words.update(sets[word[1:]])
        else:
            words.add(word)
    return frozenset(words)


class PhraseIndex:
    """Phrases by the words they can begin with."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._starts: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            for word in sorted(phrase.items[0]):
                self._starts.setdefault(word, []).append(phrase)

    def matches(self, tokens: Sequence[str]) -> Iterator[Match]:
        """Yield every phrase that stands in the tokens, by where it begins."""
        kinds = [kind(token) for token in tokens]
        present = frozenset(kinds)
        for start, first in enumerate(kinds):
            for phrase in self._starts.get(first, ()):
                if phrase.items[-1].isdisjoint(present):
                    continue
                end = _end(phrase.items, kinds, start)
                if end is not None:
                    yield Match(phrase, start, end)


def _end(items: tuple[Item, ...], kinds: Sequence[str], at: int) -> int | None:
    """Return where a phrase that begins at a token ends, the shortest way."""
    for index, item in enumerate(items):
        if item is _GAP:
            return _end_after_gap(items[index + 1 :], kinds, at)
        if at >= len(kinds) or kinds[at] not in item:
            return None
        at += 1
    return at


def _end_after_gap(items: tuple[Item, ...], kinds: Sequence[str], at: int) -> int | None:
    for skipped in range(_MAX_GAP + 1):
        end = _end(items, kinds, at + skipped)
        if end is not None:
            return end
        if at + skipped >= len(kinds) or kinds[at + skipped] in (COMMA, STOP):
            return None
    return None


def kind(token: str) -> str:
    """Return what an item compares: the word itself, or # or #/# for numbers."""
    if token[0].isdigit():
        return "#/#" if "/" in token else "#"
    return token


def numbers(tokens: Iterable[str]) -> tuple[float, ...]:
    """Return the numbers among tokens; a ratio is two."""
    return tuple(float(part) for token in tokens if token[0].isdigit() for part in token.split("/"))


def tokenise(text: str) -> list[str]:
    """Return the words, numbers and ends of a text: lower case, no apostrophes, 185 over 115 as 185/115."""
    plain = text.lower().translate(_APOSTROPHES)
    plain = _DECIMAL_COMMA.sub(".", _THOUSANDS.sub("", _RATIO.sub(r"\1/\2", plain)))
    return [_ending(token) for token in _TOKEN.findall(plain)]


def _ending(token: str) -> str:
    return STOP if token in _ENDINGS else token


class Speller:
    """Mends single typos in longer words: a letter missing, doubled, wrong, or two swapped.

    Only towards words of five letters and more with the same first letter; never a word known to be right.
    """

    def __init__(self, words: Iterable[str], known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._by_letter: dict[str, list[str]] = {}
        for word in sorted(set(words)):
            if len(word) >= 5 and word.isalpha():
                self._by_letter.setdefault(word[0], []).append(word)
        self.mend = lru_cache(maxsize=4096)(self._mend)

    def _mend(self, token: str) -> str:
        if len(token) < 5 or token in self._known:
            return token
        meant = self._by_letter.get(token[0], ())
        return next((word for word in meant if one_typo_apart(token, word)), token)


def one_typo_apart(written: str, word: str) -> bool:
    """Return whether one insertion, deletion, substitution or swap of neighbours makes one of the other."""
    if abs(len(written) - len(word)) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(written, word, strict=False)) if a != b), None)
    if same is None:
        return True
    rest, other = written[same:], word[same:]
    swapped = rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return swapped or rest[1:] == other[1:] or rest[1:] == other or rest == other[1:]
