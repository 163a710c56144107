"""Disturbing: prompts made worse in ways in which they are worse in life, to see how much worse the answers get.

    truncated   the last third of the message is missing
    reworded    the same message in another style: a letter, small talk, a text message
    misspelt    letters of every fifth word swapped or lost, and common slips
    masked      who the person is and what they have at hand are not told

What is asked stays the same, so the answers are judged as before.
"""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from shared.prompt import Prompt
from shared.synthetic.messages.styles import chatty, formal, lower_case, misspelt, non_native, shorthand

_MESSAGE: Final = "\nMessage: "
_KEPT: Final = 2 / 3
_SLIPS: Final = 0.2
_LEAST_LETTERS: Final = 4
_MASKED: Final = re.compile(r"^(Person|Equipment|Goal): .*$", re.MULTILINE)
_OTHER_WORDS: Final = (chatty, formal, lower_case, non_native, shorthand)


def _truncated(message: str, rng: Random) -> str:
    return message[: max(1, round(len(message) * _KEPT))]


def _reworded(message: str, rng: Random) -> str:
    return rng.choice(_OTHER_WORDS)(message, rng)


def _misspelt(message: str, rng: Random) -> str:
    return " ".join(_slip(word, rng) for word in misspelt(message, rng).split(" "))


def _slip(word: str, rng: Random) -> str:
    if len(word) < _LEAST_LETTERS or not word.isalpha() or rng.random() >= _SLIPS:
        return word
    at = rng.randrange(1, len(word) - 1)
    if rng.random() < 0.5:
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


_MESSAGES: Final[dict[str, Callable[[str, Random], str]]] = {
    "truncated": _truncated,
    "reworded": _reworded,
    "misspelt": _misspelt,
}
DISTURBANCES: Final = (*_MESSAGES, "masked")


def disturbed(disturbance: str, prompts: Sequence[Prompt], seed: int) -> list[Prompt]:
    """Return prompts made worse in one way; equal arguments give equal ones."""
    return [
        prompt._replace(user=_disturbed(disturbance, prompt.user, Random(f"{disturbance}:{seed}:{prompt.user}")))
        for prompt in prompts
    ]


def _disturbed(disturbance: str, user: str, rng: Random) -> str:
    facts, _, message = user.rpartition(_MESSAGE)
    if disturbance == "masked":
        facts = _MASKED.sub(r"\1: not told", facts)
    else:
        message = _MESSAGES[disturbance](message, rng)
    return f"{facts}{_MESSAGE}{message}"
