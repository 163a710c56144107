"""Rambling: words that go round in circles, as small models do that have lost their thread."""

import re
from typing import Final

_ONE_CHARACTER: Final = re.compile(r"([^\s.\-_=*])\1{7,}")
_SOME_WORDS: Final = re.compile(r"\b(\w+(?:\W+\w+){0,3})(?:\W+\1\b){3,}", re.IGNORECASE)
"""One to four words, four times running."""
_MOST_SHOWN: Final = 40


def rambling(text: str) -> str | None:
    """Return the piece of a text that comes over and over, or None where nothing does."""
    found = _ONE_CHARACTER.search(text) or _SOME_WORDS.search(text)
    return found.group()[:_MOST_SHOWN] if found else None
