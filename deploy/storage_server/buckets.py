"""Buckets: made, changed, deleted, and what they tell Pub/Sub. Knows nothing of HTTP."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from deploy.storage_server.database import Database, now
from deploy.storage_server.events import NotificationConfig
from deploy.storage_server.preconditions import NONE, Preconditions
from deploy.storage_server.stored import Fields, StoredBucket
from shared.errors import Conflict, NotFound


class Buckets:
    """The buckets of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, project: str, fields: Fields) -> StoredBucket:
        """Make a bucket; raises Conflict where the name is taken."""
        time = now()
        bucket = StoredBucket(name, project, 1, time, time, fields)
        with self._database.writing() as db:
            row = (name, project, 1, time, time, json.dumps(fields))
            done = db.execute("INSERT INTO buckets VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
        if done.rowcount != 1:
            raise Conflict(f"there is a bucket {name!r} already")
        return bucket

    def get(self, name: str, conditions: Preconditions = NONE) -> StoredBucket:
        """Return a bucket; raises NotFound."""
        with self._database.reading() as db:
            bucket = _bucket(db, name)
        conditions.check(bucket, reading=True)
        return bucket

    def list(self, project: str, prefix: str, after: str, most: int) -> list[StoredBucket]:
        """Return a project's buckets in name order, of those that come after a name."""
        with self._database.reading() as db:
            sql = (
                "SELECT * FROM buckets WHERE project = ? AND name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?"
            )
            rows = db.execute(sql, (project, after, prefix, prefix + "\x7f", most)).fetchall()
        return [StoredBucket.of_row(row) for row in rows]

    def change(self, name: str, conditions: Preconditions, change_fields: Callable[[Fields], Fields]) -> StoredBucket:
        """Change a bucket's fields; raises NotFound, PreconditionFailed."""
        with self._database.writing() as db:
            found = _bucket(db, name)
            conditions.check(found)
            fields = change_fields(found.fields)
            changed = replace(found, fields=fields, metageneration=found.metageneration + 1, updated=now())
            row = (json.dumps(fields), changed.metageneration, changed.updated, name)
            db.execute("UPDATE buckets SET fields = ?, metageneration = ?, updated = ? WHERE name = ?", row)
        return changed

    def delete(self, name: str, conditions: Preconditions) -> None:
        """Delete an empty bucket; raises NotFound, PreconditionFailed, and Conflict where it is not empty."""
        with self._database.writing() as db:
            conditions.check(_bucket(db, name))
            if db.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (name,)).fetchone():
                raise Conflict(f"bucket {name!r} is not empty")
            for table, column in (("buckets", "name"), ("notifications", "bucket"), ("uploads", "bucket")):
                db.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))  # noqa: S608

    def add_notification(self, bucket: str, config: NotificationConfig) -> int:
        """Keep a notification config and return its number; raises NotFound."""
        with self._database.writing() as db:
            _bucket(db, bucket)
            sql = "SELECT coalesce(max(id), 0) + 1 FROM notifications WHERE bucket = ?"
            number = int(db.execute(sql, (bucket,)).fetchone()[0])
            db.execute("INSERT INTO notifications VALUES (?, ?, ?)", (bucket, number, config.to_json()))
        return number

    def notifications(self, bucket: str) -> dict[int, NotificationConfig]:
        """Return a bucket's notification configs by number; raises NotFound."""
        with self._database.reading() as db:
            _bucket(db, bucket)
            rows = db.execute("SELECT id, fields FROM notifications WHERE bucket = ? ORDER BY id", (bucket,)).fetchall()
        return {row["id"]: NotificationConfig.of_json(row["fields"]) for row in rows}

    def drop_notification(self, bucket: str, number: int) -> None:
        """Delete a notification config; raises NotFound."""
        with self._database.writing() as db:
            _bucket(db, bucket)
            if db.execute("DELETE FROM notifications WHERE bucket = ? AND id = ?", (bucket, number)).rowcount != 1:
                raise NotFound(f"bucket {bucket!r} has no notification {number}")


def _bucket(db: sqlite3.Connection, name: str) -> StoredBucket:
    row = db.execute("SELECT * FROM buckets WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise NotFound(f"there is no bucket {name!r}")
    return StoredBucket.of_row(row)
