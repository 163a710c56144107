"""Listing: a bucket's objects in name order, page by page, folded at a delimiter."""

import base64
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from deploy.storage_server.database import Database
from deploy.storage_server.stored import StoredObject
from shared.errors import NotFound, Rejected

LAST = "\U0010ffff"
GLOB = re.compile(r"\*\*|\*|\?|\[(!?)([^\]]+)\]|\{([^{}]*)\}")

Position = tuple[str, int]
"""A name and a generation; listing goes on with what comes after it."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to list: names from `start` up to but without `end`, at most so many items and prefixes."""

    prefix: str = ""
    delimiter: str = ""
    start: str = ""
    end: str = ""
    glob: str = ""
    versions: bool = False
    delimited_items: bool = False
    """Whether an object whose name ends with the delimiter is an item too, beside being a prefix."""
    most: int = 1000
    token: str = ""


@dataclass(slots=True)
class Page:
    """A page of a listing; the token is None on the last."""

    items: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    token: str | None = None


def list_objects(database: Database, bucket: str, query: Query) -> Page:
    """Return a page; raises NotFound for the bucket, Rejected for a token or glob that is none."""
    with database.reading() as db:
        if db.execute("SELECT 1 FROM buckets WHERE name = ?", (bucket,)).fetchone() is None:
            raise NotFound(f"there is no bucket {bucket!r}")
        pattern = _pattern(query.glob)
        page, position = Page(), _position(query.token)
        for found, folded, after in _walk(db, bucket, query, position, pattern):
            if len(page.items) + len(page.prefixes) >= query.most:
                page.token = base64.urlsafe_b64encode(f"{position[1]} {position[0]}".encode()).decode()
                break
            position = after
            if folded is not None:
                page.prefixes.append(folded)
            if found is not None:
                page.items.append(found)
    return page


def _walk(
    db: sqlite3.Connection, bucket: str, query: Query, position: Position, pattern: re.Pattern[str] | None
) -> Iterator[tuple[StoredObject | None, str | None, Position]]:
    """Yield items and folded prefixes in order, each with the position after it."""
    while True:
        with closing(_rows(db, bucket, query, position)) as rows:
            for found in map(StoredObject.of_row, rows):
                folded = _folded(found.name, query)
                if folded is not None:
                    own = query.delimited_items and found.name == folded
                    position = (_after_all(folded), 0)
                    yield (found if own else None), folded, position
                    break
                if pattern is None or pattern.fullmatch(found.name):
                    yield found, None, (found.name, found.generation)
            else:
                return


def _rows(db: sqlite3.Connection, bucket: str, query: Query, position: Position) -> sqlite3.Cursor:
    live = "" if query.versions else "AND noncurrent_since IS NULL"
    sql = (
        "SELECT * FROM objects WHERE bucket = ? AND (name, generation) > (?, ?) AND name >= ? AND name < ? "  # noqa: S608
        f"{live} ORDER BY name, generation"
    )
    ends = [end for end in (query.end, _after_all(query.prefix)) if end]
    return db.execute(sql, (bucket, *position, max(query.prefix, query.start), min(ends)))


def _after_all(prefix: str) -> str:
    """Return what comes, in order, after all names that start with a prefix. Order is that of code points."""
    kept = prefix.rstrip(LAST)
    if not kept:
        return LAST * 257  # longer than a name can be
    after = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if after == 0xD800 else after)


def _folded(name: str, query: Query) -> str | None:
    if not query.delimiter:
        return None
    end = name.find(query.delimiter, len(query.prefix))
    return None if end < 0 else name[: end + len(query.delimiter)]


def _position(token: str) -> Position:
    if not token:
        return "", 0
    try:
        generation, _, name = base64.urlsafe_b64decode(token.encode()).decode().partition(" ")
        return name, int(generation)
    except ValueError as exc:
        raise Rejected(f"pageToken {token[:40]!r} is not one that a listing gave") from exc


def _pattern(glob: str) -> re.Pattern[str] | None:
    try:
        return re.compile(_glob(glob), re.DOTALL) if glob else None
    except re.error as exc:
        raise Rejected(f"matchGlob {glob[:40]!r}: {exc}") from exc


def _glob(glob: str) -> str:
    """Return a glob as a regular expression: `*` and `?` stay within a folder, `**` does not."""
    parts, end = [], 0
    for match in GLOB.finditer(glob):
        parts += [re.escape(glob[end : match.start()]), _wildcard(match)]
        end = match.end()
    return "".join([*parts, re.escape(glob[end:])])


def _wildcard(match: re.Match[str]) -> str:
    negated, members, choices = match.groups()
    if members is not None:
        inside = members.replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
        return f"[{'^/' if negated else ''}{inside}]"
    if choices is not None:
        return "(?:" + "|".join(_glob(choice) for choice in choices.split(",")) + ")"
    return {"**": ".*", "*": "[^/]*", "?": "[^/]"}[match.group()]
