"""Statements: SQL whose values are named, prepared once a connection and run several in one round trip.

    FIND = Statement("SELECT name FROM profile.users WHERE user_id = :user_id")
    database.run(user_id, FIND(user_id=user_id))

pg8000 asks Postgres twice for a statement and four times more for its transaction. All that a request needs
here is written at once, with one Sync behind it: Postgres takes what stands before a Sync as one transaction,
so either all of it happens or nothing does, and settings made with `is_local` end with it.

Values go out as text, and come back as int, float, bool, date, datetime or str: a uuid, jsonb or numeric is a
str, bool and numbers what they are.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from struct import Struct
from typing import Any, Final, NamedTuple

from shared.errors import FitsenseError, Unavailable

Value = str | int | float | bool | date | datetime | bytes | None
Row = tuple[Any, ...]
Rows = list[Row]

_NAME: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_HEADER: Final = Struct("!ci")
_LENGTH: Final = Struct("!i")
_COUNT: Final = Struct("!H")
_FIELD: Final = Struct("!ihihih")
_NULL: Final = _LENGTH.pack(-1)
_EXECUTE: Final = b"E" + _LENGTH.pack(9) + b"\x00" + _LENGTH.pack(0)
_SYNC: Final = b"S" + _LENGTH.pack(4)
_DOWN: Final = ("08", "53", "57", "40")
"""SQLSTATE classes that a later try may not meet: connections, resources, operator intervention, rollbacks."""


class DatabaseRefused(FitsenseError):
    """Postgres refused a statement: a bug, unless whoever asked expects this SQLSTATE and handles it."""

    def __init__(self, sqlstate: str, constraint: str, message: str) -> None:
        super().__init__(f"{sqlstate} {constraint}: {message}")
        self.sqlstate = sqlstate
        self.constraint = constraint

    @property
    def is_duplicate(self) -> bool:
        """Whether a unique constraint was broken; `constraint` names it."""
        return self.sqlstate == "23505"


class Asked(NamedTuple):
    """A statement with its values, as they go over the wire."""

    statement: "Statement"
    values: list[bytes | None]


@dataclass(frozen=True, slots=True, init=False)
class Statement:
    """One SQL statement; calling it gives it its values by name."""

    sql: str
    names: tuple[str, ...]

    def __init__(self, sql: str) -> None:
        names = tuple(dict.fromkeys(_NAME.findall(sql)))
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "sql", _NAME.sub(lambda found: f"${names.index(found[1]) + 1}", sql))

    def __call__(self, **values: Value) -> Asked:
        """Return it with values; a name too many or too few is a KeyError or TypeError, as with any function."""
        if len(values) != len(self.names):
            raise TypeError(f"{sorted(values)} given, {sorted(self.names)} wanted")
        return Asked(self, [_text(values[name]) for name in self.names])


class Prepared(NamedTuple):
    """A statement as one connection knows it."""

    name: bytes
    decoders: tuple[Callable[[str], Any], ...]


def run(connection: Any, known: dict[str, Prepared], asked: Sequence[Asked]) -> list[Rows]:
    """Run statements on a pg8000 connection as one transaction, in one round trip once they are prepared.

    Returns each one's rows. Raises DatabaseRefused for the first that Postgres refused, after which none of
    them has happened; Unavailable where that is for want of something; OSError where the connection broke.
    """
    frames = []
    used = []
    for one in asked:
        prepared = known.get(one.statement.sql) or _prepare(connection, known, one.statement.sql)
        used.append(prepared)
        frames.append(_bind(prepared.name, one.values))
        frames.append(_EXECUTE)
    frames.append(_SYNC)
    connection._usock.sendall(b"".join(frames))
    return _answers(connection, [one.decoders for one in used])


def _prepare(connection: Any, known: dict[str, Prepared], sql: str) -> Prepared:
    name = b"f%d\x00" % len(known)
    parse = name + sql.encode() + b"\x00" + _COUNT.pack(0)
    connection._usock.sendall(
        b"P" + _LENGTH.pack(len(parse) + 4) + parse + b"D" + _LENGTH.pack(len(name) + 5) + b"S" + name + _SYNC
    )
    decoders: tuple[Callable[[str], Any], ...] = ()
    refused: DatabaseRefused | Unavailable | None = None
    while True:
        code, data = _message(connection)
        if code == b"T":
            decoders = tuple(_DECODERS.get(oid, str) for oid in _column_types(data))
        elif code == b"E":
            refused = _refusal(data)
        elif code == b"Z":
            break
    if refused:
        raise refused
    known[sql] = Prepared(name, decoders)
    return known[sql]


def _answers(connection: Any, decoders: list[tuple[Callable[[str], Any], ...]]) -> list[Rows]:
    results: list[Rows] = [[]]
    refused: DatabaseRefused | Unavailable | None = None
    while True:
        code, data = _message(connection)
        if code == b"D":
            results[-1].append(_row(data, decoders[len(results) - 1]))
        elif code == b"C":
            results.append([])
        elif code == b"E":
            refused = refused or _refusal(data)
        elif code == b"Z":
            break
    if refused:
        raise refused
    return results[:-1]


def _message(connection: Any) -> tuple[bytes, bytes]:
    header = connection._sock.read(5)
    if len(header) < 5:
        raise ConnectionResetError("Postgres closed the connection")
    code, length = _HEADER.unpack(header)
    data = connection._sock.read(length - 4) if length > 4 else b""
    if len(data) < length - 4:
        raise ConnectionResetError("Postgres closed the connection")
    return code, data


def _row(data: bytes, decoders: tuple[Callable[[str], Any], ...]) -> Row:
    at = 2
    row: list[Any] = []
    for decode in decoders:
        (length,) = _LENGTH.unpack_from(data, at)
        at += 4
        if length < 0:
            row.append(None)
            continue
        row.append(decode(data[at : at + length].decode()))
        at += length
    return tuple(row)


def _column_types(data: bytes) -> list[int]:
    (count,) = _COUNT.unpack_from(data)
    at, oids = 2, []
    for _ in range(count):
        at = data.index(b"\x00", at) + 1
        oids.append(_FIELD.unpack_from(data, at)[2])
        at += 18
    return oids


def _bind(name: bytes, values: list[bytes | None]) -> bytes:
    parts = [b"\x00", name, b"\x00\x00", _COUNT.pack(len(values))]
    for value in values:
        parts.append(_NULL if value is None else _LENGTH.pack(len(value)) + value)
    parts.append(b"\x00\x00")
    body = b"".join(parts)
    return b"B" + _LENGTH.pack(len(body) + 4) + body


def _refusal(data: bytes) -> DatabaseRefused | Unavailable:
    parts = {part[:1]: part[1:].decode(errors="replace") for part in data.split(b"\x00") if part}
    sqlstate, message = parts.get(b"C", ""), parts.get(b"M", "")
    if sqlstate.startswith(_DOWN):
        return Unavailable(f"the database cannot do that now: {message}")
    return DatabaseRefused(sqlstate, parts.get(b"n", ""), message)


def _text(value: Value) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, date):
        return value.isoformat().encode()
    return str(value).encode()  # Postgres reads Python's True, False and numbers


@lru_cache(maxsize=4096)
def _date(text: str) -> date:
    return date.fromisoformat(text)


_DECODERS: Final[dict[int, Callable[[str], Any]]] = {
    16: lambda text: text == "t",  # bool
    20: int,
    21: int,
    23: int,
    700: float,
    701: float,
    1700: float,  # numeric
    1082: _date,
    1184: datetime.fromisoformat,  # timestamptz; connections are in UTC
}
