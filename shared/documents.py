"""Documents: small JSON objects that change: run state, claims, counters, dead letters.

The port is `Documents`; `SqliteDocuments` is the embedded adapter. Paths look like
`deliveries/<run_id>/profiles/0000`: what stands before the first `/`, which every path and prefix
has, is the collection. There are no transactions: `create` claims, `replace` compares and sets, and
`update` retries `replace`.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.errors import NotFound, Rejected, Unavailable

Data = dict[str, object]
RETRY_S = 0.002
BUSY_S = 30
MAX_TRIES = 200


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read; `version` changes whenever it is replaced, or deleted and made again."""

    path: str
    data: Data
    version: str


class Documents(Protocol):
    """A store of documents.

    Every method raises Unavailable where the store cannot be reached, and Rejected for a path that cannot be.
    """

    def get(self, path: str) -> Document | None:
        """Return a document, or None where there is none."""

    def create(self, path: str, data: Data) -> bool:
        """Create a document and return True; return False, changing nothing, where it exists."""

    def replace(self, document: Document, data: Data) -> bool:
        """Set a document's data unless it changed since it was read; return whether that was done."""

    def delete(self, path: str) -> bool:
        """Delete a document and return whether there was one."""

    def discard(self, document: Document) -> bool:
        """Delete a document unless it changed since it was read; return whether that was done."""

    def list(self, prefix: str) -> list[Document]:
        """Return the documents whose paths start with a prefix, in path order."""


def update(documents: Documents, path: str, change: Callable[[Data], Data]) -> Data:
    """Apply a change to a document's data, again if somebody else was faster; return the new data.

    A document that is not there is created from `change({})`. Raises Unavailable under endless contention.
    """
    for attempt in range(MAX_TRIES):
        found = documents.get(path)
        data = change(dict(found.data) if found else {})
        if documents.replace(found, data) if found else documents.create(path, data):
            return data
        time.sleep(RETRY_S * min(attempt, 10))
    raise Unavailable(f"document {path!r} is contended")


def need(documents: Documents, path: str) -> Document:
    """Return a document; raises NotFound."""
    found = documents.get(path)
    if found is None:
        raise NotFound(f"there is no document {path!r}")
    return found


def split_path(path: str) -> tuple[str, str]:
    """Return a path's collection and id; raises Rejected where it lacks either."""
    collection, name = split_prefix(path)
    if not name:
        raise Rejected(f"{path!r} names no document: nothing follows the collection")
    return collection, name


def split_prefix(prefix: str) -> tuple[str, str]:
    """Return the collection that a prefix is of, and how ids begin; raises Rejected where it names no collection."""
    collection, slash, name = prefix.partition("/")
    if not (collection and slash and prefix.isprintable()):
        raise Rejected(f"{prefix!r} is no path of a document: <collection>/<id>, in printable characters")
    return collection, name


def as_text(data: Data) -> str:
    """Return a document's data as JSON text, the same for equal data."""
    return json.dumps(data, sort_keys=True)


class SqliteDocuments:
    """Documents in one SQLite file, shared by processes and threads; survives kill -9 of any of them.

    Versions are random, so that a document deleted and made again is not taken for the old one.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()

    def get(self, path: str) -> Document | None:
        """Return a document, or None."""
        split_path(path)
        with self._connection() as db:
            row = db.execute("SELECT data, version FROM documents WHERE path = ?", (path,)).fetchone()
        return Document(path, json.loads(row[0]), str(row[1])) if row else None

    def create(self, path: str, data: Data) -> bool:
        """Insert unless the path is taken."""
        split_path(path)
        with self._connection() as db:
            sql = "INSERT INTO documents VALUES (?, ?, random()) ON CONFLICT DO NOTHING"
            return db.execute(sql, (path, as_text(data))).rowcount == 1

    def replace(self, document: Document, data: Data) -> bool:
        """Update where the version is still the one that was read."""
        with self._connection() as db:
            sql = "UPDATE documents SET data = ?, version = random() WHERE path = ? AND version = ?"
            return db.execute(sql, (as_text(data), document.path, int(document.version))).rowcount == 1

    def delete(self, path: str) -> bool:
        """Delete the row."""
        split_path(path)
        with self._connection() as db:
            return db.execute("DELETE FROM documents WHERE path = ?", (path,)).rowcount == 1

    def discard(self, document: Document) -> bool:
        """Delete the row if the version is still the one that was read."""
        with self._connection() as db:
            sql = "DELETE FROM documents WHERE path = ? AND version = ?"
            return db.execute(sql, (document.path, int(document.version))).rowcount == 1

    def list(self, prefix: str) -> list[Document]:
        """Return the rows of a path range; every path is below U+10FFFF."""
        split_prefix(prefix)
        with self._connection() as db:
            sql = "SELECT path, data, version FROM documents WHERE path >= ? AND path < ? ORDER BY path"
            rows = db.execute(sql, (prefix, prefix + "\U0010ffff")).fetchall()
        return [Document(path, json.loads(data), str(version)) for path, data, version in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            # A connection must not cross a fork, so each process opens its own.
            if getattr(self._local, "pid", None) != os.getpid():
                self._local.db, self._local.pid = self._open(), os.getpid()
            yield self._local.db
        except (sqlite3.Error, OSError) as exc:
            raise Unavailable(f"document database {self._file}: {exc}") from exc

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._file, timeout=BUSY_S, isolation_level=None)
        _write_ahead(db)
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(
            "CREATE TABLE IF NOT EXISTS documents (path TEXT PRIMARY KEY, data TEXT NOT NULL, version INTEGER NOT NULL)"
        )
        return db


def _write_ahead(db: sqlite3.Connection) -> None:
    """Turn write-ahead logging on. SQLite does not wait for its turn at this one, so the waiting is ours."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
