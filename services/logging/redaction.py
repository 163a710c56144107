"""Redaction: what is taken out of what people and models wrote before it is kept: how to reach or bill somebody."""

import re
from typing import Final

LONGEST: Final = 20_000
"""Characters of a text that are kept."""

_PATTERNS: Final = (
    (re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), "[e-mail]"),
    (re.compile(r"https?://\S{1,2000}"), "[link]"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b"), "[account]"),
    (re.compile(r"(?<![\w.])(?!\d{4}-\d\d-\d\d)\+?\d(?:[ ()./-]{0,2}\d){8,18}(?!\w)"), "[number]"),
)


def redacted(text: str | None) -> str | None:
    """Return a text without e-mail addresses, links, and numbers of phones, cards and accounts; NULs too go."""
    if text is None:
        return None
    text = text[:LONGEST].replace("\x00", "")
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text
