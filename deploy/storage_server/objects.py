"""Objects: what a bucket holds. Knows nothing of HTTP.

Whether the preconditions hold and the object's becoming live are one transaction, so of any number
of racing writers with `generation=0` exactly one wins. Every method raises NotFound where there is no
such bucket or object, PreconditionFailed or NotModified, and Unavailable where the disk fails.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import BinaryIO, TypeVar

from deploy.storage_server.contents import Content, Contents, pieces_of
from deploy.storage_server.database import Database, next_generation, now
from deploy.storage_server.events import Outbox
from deploy.storage_server.preconditions import NONE, NotModified, PreconditionFailed, Preconditions
from deploy.storage_server.stored import Fields, StoredBucket, StoredObject
from shared.errors import NotFound, Unavailable

Used = TypeVar("Used")
MAX_TRIES = 100
INSERT = "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Source:
    """An object to read: the live one where no generation is given."""

    bucket: str
    name: str
    generation: int | None = None
    conditions: Preconditions = NONE


@dataclass(frozen=True, slots=True)
class Target:
    """An object to write."""

    bucket: str
    name: str
    fields: Fields
    conditions: Preconditions = NONE


@dataclass(frozen=True, slots=True)
class Change:
    """A transaction under way, and the contents that nobody needs once it is done."""

    db: sqlite3.Connection
    unneeded: list[str]


class Objects:
    """Objects over a database and a directory of contents; what happens to them goes to the outbox."""

    def __init__(self, database: Database, contents: Contents, outbox: Outbox) -> None:
        self._database = database
        self._contents = contents
        self._outbox = outbox

    def get(self, source: Source) -> StoredObject:
        """Return an object's metadata."""
        with self._database.reading() as db:
            return _readable(db, source)

    def open(self, source: Source) -> tuple[StoredObject, BinaryIO]:
        """Return an object's metadata and its content to read."""
        return self._with_content(source, self._contents.open)

    def check(self, target: Target) -> None:
        """Raise what `put` would raise if it came now."""
        with self._database.reading() as db:
            _bucket(db, target.bucket)
            target.conditions.check(_find(db, target.bucket, target.name))

    def put(
        self,
        target: Target,
        content: Content,
        components: int | None = None,
        also: Callable[[sqlite3.Connection, StoredObject], None] | None = None,
    ) -> StoredObject:
        """Make a content live under a name, or remove it and raise; `also` is done in the same transaction."""
        try:
            with self._changing() as change:
                made = self._make_live(change, target, content, components)
                if also:
                    also(change.db, made)
                return made
        except (NotFound, PreconditionFailed, NotModified):
            self._contents.remove(content.id)
            raise

    def receive(self, target: Target, pieces: Iterable[bytes], verify: Callable[[Content], None]) -> StoredObject:
        """Write a content and make it live, unless `verify` raises."""
        content = self._contents.receive(pieces)
        try:
            verify(content)
        except BaseException:
            self._contents.remove(content.id)
            raise
        return self.put(target, content)

    def copy(self, source: Source, target: Target, fields: Callable[[Fields], Fields]) -> StoredObject:
        """Copy an object; its fields pass through `fields`."""
        found, content_id = self._with_content(source, self._contents.link)
        target = replace(target, fields=fields(found.fields))
        return self.put(target, replace(found.content, id=content_id), found.components)

    def move(self, source: Source, target: Target) -> StoredObject:
        """Rename an object, in one transaction."""
        with self._changing() as change:
            found = _readable(change.db, source)
            content = replace(found.content, id=self._contents.link(found.content.id))
            made = self._make_live(change, replace(target, fields=found.fields), content, found.components)
            self._take_away(change, found, {})
            return made

    def compose(self, sources: Sequence[Source], target: Target, keep_sources: bool) -> StoredObject:
        """Write an object that is others, one after the other."""
        with ExitStack() as stack:
            parts = [self.open(source) for source in sources]
            for _, file in parts:
                stack.callback(file.close)
            pieces = (piece for _, file in parts for piece in pieces_of(file.read))
            content = replace(self._contents.receive(pieces), md5=None)
        made = self.put(target, content, sum(found.components or 1 for found, _ in parts))
        for found, _ in [] if keep_sources else parts:
            with suppress(NotFound, PreconditionFailed):  # it is the target too, or there twice
                self.delete(Source(found.bucket, found.name, None, Preconditions(found.generation)))
        return made

    def change(self, source: Source, change_fields: Callable[[Fields], Fields]) -> StoredObject:
        """Change the fields that an owner may set."""
        with self._changing() as change:
            found = _needed(change.db, source)
            source.conditions.check(found)
            changed = replace(
                found, fields=change_fields(found.fields), metageneration=found.metageneration + 1, updated=now()
            )
            change.db.execute(
                "UPDATE objects SET fields = ?, metageneration = ?, updated = ? "
                "WHERE bucket = ? AND name = ? AND generation = ?",
                (json.dumps(changed.fields), changed.metageneration, changed.updated, *_key(changed)),
            )
            self._outbox.add(change.db, "OBJECT_METADATA_UPDATE", changed)
            return changed

    def delete(self, source: Source) -> None:
        """Delete a generation; without one, the live object, which a versioned bucket keeps as noncurrent."""
        with self._changing() as change:
            found = _needed(change.db, source)
            source.conditions.check(found)
            if source.generation is None:
                self._take_away(change, found, {})
            else:
                self._remove(change, found, {})

    @contextmanager
    def _changing(self) -> Iterator[Change]:
        unneeded: list[str] = []
        with self._database.writing() as db:
            yield Change(db, unneeded)
        for content_id in unneeded:
            self._contents.remove(content_id)
        self._outbox.wake()

    def _with_content(self, source: Source, use: Callable[[str], Used]) -> tuple[StoredObject, Used]:
        for _ in range(MAX_TRIES):
            found = self.get(source)
            try:
                return found, use(found.content.id)
            except FileNotFoundError:
                continue  # it was overwritten in between
        raise Unavailable(f"the content of {source.name!r} is missing")

    def _make_live(self, change: Change, target: Target, content: Content, components: int | None) -> StoredObject:
        _bucket(change.db, target.bucket)
        current = _find(change.db, target.bucket, target.name)
        target.conditions.check(current)
        generation, time = next_generation(change.db), now()
        made = StoredObject(
            target.bucket, target.name, generation, 1, content, components, time, time, None, target.fields
        )
        if current:
            self._take_away(change, current, {"overwrittenByGeneration": str(generation)})
        change.db.execute(INSERT, made.to_row())
        overwrote = {"overwroteGeneration": str(current.generation)} if current else {}
        self._outbox.add(change.db, "OBJECT_FINALIZE", made, overwrote)
        return made

    def _take_away(self, change: Change, current: StoredObject, attributes: dict[str, str]) -> None:
        if not _bucket(change.db, current.bucket).versioned:
            self._remove(change, current, attributes)
            return
        archived = replace(current, noncurrent_since=now())
        sql = "UPDATE objects SET noncurrent_since = ? WHERE bucket = ? AND name = ? AND generation = ?"
        change.db.execute(sql, (archived.noncurrent_since, *_key(archived)))
        self._outbox.add(change.db, "OBJECT_ARCHIVE", archived, attributes)

    def _remove(self, change: Change, found: StoredObject, attributes: dict[str, str]) -> None:
        change.db.execute("DELETE FROM objects WHERE bucket = ? AND name = ? AND generation = ?", _key(found))
        change.unneeded.append(found.content.id)
        self._outbox.add(change.db, "OBJECT_DELETE", found, attributes)


def _key(found: StoredObject) -> tuple[str, str, int]:
    return found.bucket, found.name, found.generation


def _bucket(db: sqlite3.Connection, name: str) -> StoredBucket:
    row = db.execute("SELECT * FROM buckets WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise NotFound(f"there is no bucket {name!r}")
    return StoredBucket.of_row(row)


def _find(db: sqlite3.Connection, bucket: str, name: str, generation: int | None = None) -> StoredObject | None:
    which, value = ("noncurrent_since IS NULL", ()) if generation is None else ("generation = ?", (generation,))
    row = db.execute(f"SELECT * FROM objects WHERE bucket = ? AND name = ? AND {which}", (bucket, name, *value))  # noqa: S608
    found = row.fetchone()
    return StoredObject.of_row(found) if found else None


def _needed(db: sqlite3.Connection, source: Source) -> StoredObject:
    found = _find(db, source.bucket, source.name, source.generation)
    if found is None:
        _bucket(db, source.bucket)
        raise NotFound(f"there is no object {source.name!r} in bucket {source.bucket!r}")
    return found


def _readable(db: sqlite3.Connection, source: Source) -> StoredObject:
    found = _needed(db, source)
    source.conditions.check(found, reading=True)
    return found
