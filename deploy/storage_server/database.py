"""Database: what the server knows about buckets, objects, uploads and events, in one SQLite file.

Contents are files beside it. Survives kill -9 of the server at any moment; after a crash of the
machine it is consistent, but may have forgotten the last moments. Raises Unavailable where SQLite fails.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from shared.errors import Unavailable

BUSY_S = 30
SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (generation INTEGER NOT NULL);
INSERT INTO clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clock);
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, project TEXT NOT NULL, metageneration INTEGER NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL, fields TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL, metageneration INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL, content TEXT NOT NULL, crc32c TEXT NOT NULL, md5 TEXT, components INTEGER,
    created TEXT NOT NULL, updated TEXT NOT NULL, noncurrent_since TEXT, fields TEXT NOT NULL,
    PRIMARY KEY (bucket, name, generation)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS live_objects ON objects (bucket, name) WHERE noncurrent_since IS NULL;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, begun TEXT NOT NULL,
    fields TEXT NOT NULL, hashes TEXT NOT NULL, conditions TEXT NOT NULL, generation INTEGER
);
CREATE TABLE IF NOT EXISTS notifications (
    bucket TEXT NOT NULL, id INTEGER NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (bucket, id)
);
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outbox_topics ON outbox (topic, id);
"""


class Database:
    """One connection a thread; changes happen one after the other."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()
        # SQLite lets waiting writers sleep and try again; a lock hands over at once, and in order of arrival.
        self._turn = threading.Lock()
        with self._errors():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection().executescript(SCHEMA)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for one SELECT; several need not see the same state."""
        with self._errors():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside a transaction: kept at a clean exit, undone at an error."""
        with self._errors(), self._turn:
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "db"):
            db = sqlite3.connect(self._file, timeout=BUSY_S, isolation_level=None)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            self._local.db = db
        return self._local.db  # type: ignore[no-any-return]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise Unavailable(f"storage database {self._file}: {exc}") from exc


def next_generation(db: sqlite3.Connection) -> int:
    """Return a generation, inside a transaction: the time in microseconds, and above all earlier ones."""
    sql = "UPDATE clock SET generation = max(generation + 1, ?) RETURNING generation"
    return int(db.execute(sql, (time.time_ns() // 1000,)).fetchone()[0])


def now() -> str:
    """Return the time as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
