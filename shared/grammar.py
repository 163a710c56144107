"""Grammar: sentences with choices and slots in them, read from a text file and spoken with a seed.

    [greeting]                      a section: any one of its lines may be said
    {Hi|Hello} <name>, welcome!     {a|b|} picks one, maybe nothing; <x> is a value, or else a section

Choices nest. A line that starts with # is a comment. Text is parsed once; saying a line costs
microseconds and depends on nothing but the random numbers given.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from random import Random

from shared.errors import Rejected

_MARK = re.compile(r"[{|}]|<[a-z0-9_.]+>|[^{|}<>]+")
_LOOSE_STOP = re.compile(r" +([.,;!?])")
_AFTER_STOP = re.compile(r"(?:^|[.!?] )([a-z])")
_TRIES = 100


class _Slot(str):
    """The name of a value or a section."""


Part = str | _Slot | tuple["Line", ...]
Line = tuple[Part, ...]


class Grammar:
    """Named sections of lines, each of which can be said in many ways."""

    def __init__(self, sections: Mapping[str, tuple[Line, ...]]) -> None:
        self._sections = dict(sections)
        self._names: dict[str, tuple[str, ...]] = {}

    @classmethod
    def read(cls, *paths: Path) -> "Grammar":
        """Return the grammar in some files; raises Rejected naming the line that does not parse."""
        sections: dict[str, list[Line]] = {}
        for path in paths:
            current: list[Line] | None = None
            for number, raw in enumerate(path.read_text("utf-8").splitlines(), start=1):
                text = raw.strip()
                if not text or text.startswith("#"):
                    continue
                if text.startswith("["):
                    current = sections.setdefault(text[1:-1], [])
                    continue
                if current is None:
                    raise Rejected(f"{path.name}:{number}: a line before the first [section]")
                current.append(_parse(text, f"{path.name}:{number}"))
        return cls({name: tuple(lines) for name, lines in sections.items()})

    def __contains__(self, section: object) -> bool:
        return section in self._sections

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """Return the sections whose name starts with `prefix`, in file order."""
        if prefix not in self._names:
            self._names[prefix] = tuple(name for name in self._sections if name.startswith(prefix))
        return self._names[prefix]

    def lines(self, section: str) -> tuple[Line, ...]:
        """Return the lines of a section."""
        return self._sections[section]

    def say(self, section: str, rng: Random, values: Mapping[str, str]) -> str:
        """Return one line of a section, chosen and filled in, each sentence with a capital."""
        return sentences(self.phrase(section, rng, values))

    def phrase(self, section: str, rng: Random, values: Mapping[str, str]) -> str:
        """Return one line of a section as it stands, to be put inside another.

        A line that asks for a value that is not there is not said, and another one is drawn; raises KeyError
        where there is none to be found.
        """
        for tries_left in reversed(range(_TRIES)):
            said: list[str] = []
            try:
                self._expand(self._pick(section, rng), rng, values, said)
            except KeyError:
                if not tries_left:
                    raise
                continue
            break
        return _LOOSE_STOP.sub(_stop, " ".join("".join(said).split()))

    def _pick(self, section: str, rng: Random) -> Line:
        lines = self._sections[section]
        return lines[int(rng.random() * len(lines))]

    def _expand(self, line: Line, rng: Random, values: Mapping[str, str], said: list[str]) -> None:
        for part in line:
            if type(part) is str:
                said.append(part)
            elif isinstance(part, tuple):
                self._expand(part[int(rng.random() * len(part))], rng, values, said)
            elif part in values:
                said.append(values[part])
            else:
                self._expand(self._pick(part, rng), rng, values, said)


def _stop(match: re.Match[str]) -> str:
    return match[1]


def sentences(text: str) -> str:
    """Return a text with a capital at the start of every sentence."""
    return _AFTER_STOP.sub(lambda match: match[0].upper(), text)


def _parse(text: str, where: str) -> Line:
    """Return a parsed line; raises Rejected where braces do not match."""
    marks = _MARK.findall(text)
    if "".join(marks) != text:
        raise Rejected(f"{where}: a stray < or > in {text!r}")
    open_choices: list[list[list[Part]]] = [[[]]]
    for mark in marks:
        if mark == "{":
            open_choices.append([[]])
        elif mark == "|" and len(open_choices) > 1:
            open_choices[-1].append([])
        elif mark == "}" and len(open_choices) > 1:
            choice = open_choices.pop()
            open_choices[-1][-1].append(tuple(tuple(option) for option in choice))
        elif mark in "{|}":
            raise Rejected(f"{where}: {mark!r} without an open brace in {text!r}")
        else:
            open_choices[-1][-1].append(_Slot(mark[1:-1]) if mark[0] == "<" else mark)
    if len(open_choices) > 1:
        raise Rejected(f"{where}: a brace is not closed in {text!r}")
    return tuple(open_choices[0][0])
