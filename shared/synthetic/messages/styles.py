"""Styles: the many ways in which people write the same thing.

A style changes how a text looks, never what it says: numbers, names of exercises, conditions and
medications stay as they are (but for their case).
"""

import re
from collections.abc import Callable
from random import Random
from typing import Final

from shared.grammar import sentences
from shared.synthetic.messages.phrases import PHRASES

Style = Callable[[str, Random], str]

_CONTRACTIONS: Final = {
    "I'm": "I am", "I'd": "I would", "I've": "I have", "I'll": "I will", "don't": "do not", "can't": "cannot",
    "doesn't": "does not", "isn't": "is not", "it's": "it is", "It's": "It is", "that's": "that is",
    "haven't": "have not", "hasn't": "has not", "won't": "will not", "what's": "what is", "What's": "What is",
}  # fmt: skip
_MISSPELT: Final = {
    "really": "realy", "because": "becuase", "exercise": "excercise", "exercises": "excercises",
    "equipment": "equiptment", "weight": "wieght", "weeks": "weaks", "sessions": "sesions", "session": "sesion",
    "routine": "rutine", "programme": "program", "please": "plese", "training": "trainning", "strength": "strenght",
    "muscle": "mussle", "minutes": "mintues", "stronger": "stonger", "workout": "workuot", "week": "wek",
    "their": "thier", "which": "wich", "with": "wiht", "should": "shuold", "would": "woud", "without": "witout",
    "I'm": "im", "I've": "ive", "don't": "dont", "can't": "cant", "I'd": "id", "doesn't": "doesnt",
    "progress": "progess", "definitely": "definately", "recently": "recenty", "always": "allways",
}  # fmt: skip
_SHORTHAND: Final = {
    "please": "pls", "Please": "pls", "you": "u", "your": "ur", "because": "cuz", "thanks": "thx", "and": "&",
    "minutes": "min", "weeks": "wks", "with": "w/", "without": "w/o", "tomorrow": "tmrw", "about": "abt",
}  # fmt: skip
_POLITENESS: Final = re.compile(
    r",? ?\b(?:please|kindly)\b,?|\b(?:(?:can|could|would) you(?: help me)?|i would like to request) ",
    re.IGNORECASE,
)
_ARTICLE: Final = re.compile(r"\b(?:the|a|an) (?=[a-z])")
_FULL_STOP: Final = re.compile(r"[.;] +([A-Za-z])")


def style(text: str, rng: Random) -> str:
    """Return a text as some person would write it."""
    point = rng.random()
    for share, write in STYLES:
        point -= share
        if point < 0:
            return write(text, rng)
    return text


def plain(text: str, rng: Random) -> str:
    """Leave a text as it is."""
    return text


def chatty(text: str, rng: Random) -> str:
    """Put small talk around a text."""
    opener = PHRASES.say("chatty.open", rng, {})
    return f"{opener} {text} {PHRASES.say('chatty.close', rng, {})}" if rng.random() < 0.5 else f"{opener} {text}"


def formal(text: str, rng: Random) -> str:
    """Write a letter, without contractions."""
    body = _replaced(text, _CONTRACTIONS, 1.0, rng)
    return f"{PHRASES.say('formal.open', rng, {})} {body} {PHRASES.say('formal.close', rng, {})}"


def terse(text: str, rng: Random) -> str:
    """Leave out what is only polite."""
    return sentences(" ".join(_POLITENESS.sub("", text).split()))


def lower_case(text: str, rng: Random) -> str:
    """Forget about the shift key."""
    return text.lower().rstrip(".")


def misspelt(text: str, rng: Random) -> str:
    """Slip on some common words."""
    return _replaced(text, _MISSPELT, 0.6, rng)


def shorthand(text: str, rng: Random) -> str:
    """Write as in a text message."""
    return _replaced(text, _SHORTHAND, 0.8, rng).rstrip(".")


def run_on(text: str, rng: Random) -> str:
    """Go on and on without a full stop."""
    return _FULL_STOP.sub(lambda stop: _one_of((" and ", ", ", " so "), rng) + _uncapped(stop[1]), text).rstrip(".")


def non_native(text: str, rng: Random) -> str:
    """Drop articles, as many do whose first language has none."""
    body = _replaced(_ARTICLE.sub("", text), _CONTRACTIONS, 0.7, rng)
    opener = PHRASES.say("nonnative.open", rng, {}) if rng.random() < 0.6 else ""
    close = PHRASES.say("nonnative.close", rng, {}) if rng.random() < 0.5 else ""
    return f"{opener} {body} {close}".strip()


STYLES: Final[tuple[tuple[float, Style], ...]] = (
    (0.30, plain),
    (0.13, chatty),
    (0.09, formal),
    (0.10, terse),
    (0.11, lower_case),
    (0.09, misspelt),
    (0.06, shorthand),
    (0.05, run_on),
    (0.07, non_native),
)


def _replaced(text: str, words: dict[str, str], share: float, rng: Random) -> str:
    """Return a text in which a share of the words that stand in `words` are replaced."""
    out = text.split(" ")
    for place, word in enumerate(out):
        bare = word.rstrip(".,!?:")
        if bare in words and rng.random() < share:
            out[place] = words[bare] + word[len(bare) :]
    return " ".join(out)


def _one_of(options: tuple[str, ...], rng: Random) -> str:
    return options[int(rng.random() * len(options))]


def _uncapped(letter: str) -> str:
    return letter if letter == "I" else letter.lower()
