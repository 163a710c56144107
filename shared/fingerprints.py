"""Fingerprints: finding equal texts among millions, with eight bytes a text.

A fingerprint is 64 bits of a value's hash, kept in an `array("q")` in the order of the file. Two
different texts share one with a chance of 2**-64 a pair. Fingerprints differ between processes:
compare them, never store them.
"""

from array import array
from collections.abc import Iterator

_AT_ONCE = 1 << 16
"""Fingerprints indexed at a time, so that the index does not grow with the number of texts."""


def fingerprints() -> "array[int]":
    """Return an empty sequence of fingerprints; append `hash(text)` to it."""
    return array("q")


def repeats(texts: "array[int]") -> Iterator[tuple[int, int]]:
    """Yield (first position, position) of every fingerprint that has been there before."""
    parts = 1 + len(texts) // _AT_ONCE
    for part in range(parts):
        first: dict[int, int] = {}
        for position, text in enumerate(texts):
            if text % parts == part:
                earlier = first.setdefault(text, position)
                if earlier != position:
                    yield earlier, position


def distinct(texts: "array[int]") -> int:
    """Return how many different fingerprints there are."""
    return len(texts) - sum(1 for _ in repeats(texts))


def common(these: "array[int]", those: "array[int]") -> Iterator[tuple[int, int]]:
    """Yield (position in these, a position in those) of every fingerprint that is in both."""
    parts = 1 + len(those) // _AT_ONCE
    for part in range(parts):
        where = {text: position for position, text in enumerate(those) if text % parts == part}
        for position, text in enumerate(these):
            if text in where:
                yield position, where[text]
