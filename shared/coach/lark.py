"""Lark: the small words of a grammar in llguidance's dialect of Lark: texts, choices, conditions on a parameter."""

import re
from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import Final

ALWAYS: Final = "ge(_, 0)"
"""Without a condition, a rule that only counts is taken for another name of what it calls, and counts nothing."""


def either(words: Iterable[str]) -> str:
    """Return the regular expression of one of some texts."""
    return f"({'|'.join(map(literal, words))})"


def either_number(low: int, high: int) -> str:
    """Return the regular expression of a number from `low` to `high`."""
    return either(str(number) for number in range(low, high + 1))


@lru_cache(maxsize=2048)
def literal(text: str) -> str:
    """Return the regular expression of a text."""
    return re.sub(r"([^A-Za-z0-9 ',:;<>=_-])", r"\\\1", text)


def sequence(*parts: str) -> str:
    """Return a body in which parts follow each other."""
    return " ".join(parts)


def quoted(text: str) -> str:
    """Return a text that has to stand there."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def all_of(*conditions: str) -> str:
    """Return a condition that holds where all of some hold."""
    return reduce(lambda first, second: f"and({first}, {second})", conditions)


def any_of(*conditions: str) -> str:
    """Return a condition that holds where one of some holds."""
    return reduce(lambda first, second: f"or({first}, {second})", conditions)
