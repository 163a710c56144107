"""Uploads: resumable ones, sent in pieces over as long as a week, across restarts of the server.

What arrived is a content that grows; its length is all the state there is. Preconditions are checked
when an upload begins and again when it becomes an object.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from deploy.storage_server.contents import Content, Contents, write_all
from deploy.storage_server.database import Database, now
from deploy.storage_server.objects import Objects, Source, Target
from deploy.storage_server.preconditions import Preconditions
from deploy.storage_server.stored import StoredObject
from shared.errors import NotFound, Rejected

GRANULE_BYTES = 1 << 18
"""Only the last piece of an upload may have another length than a multiple of this."""
KEPT_FOR = timedelta(days=7)
Hashes = dict[str, str]
"""What the client says the content's hashes are, by the API's names: md5Hash, crc32c."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Where in an upload some bytes belong: from `start` up to but without `end`.

    Without a start there are no bytes, and the client asks how far the upload got. Without a total, the
    client does not know it yet; without an end too, whatever comes is all there is.
    """

    start: int | None
    end: int | None
    total: int | None

    @property
    def is_whole(self) -> bool:
        """Whether whatever comes is all there is."""
        return self.start is not None and self.end is None and self.total is None


@dataclass(frozen=True, slots=True)
class _Session:
    id: str
    target: Target
    hashes: Hashes
    generation: int | None
    """Of the object that the upload has become."""


class Uploads:
    """The resumable uploads of a server."""

    def __init__(self, database: Database, contents: Contents, objects: Objects) -> None:
        self._database = database
        self._contents = contents
        self._objects = objects

    def begin(self, target: Target, hashes: Hashes) -> str:
        """Begin an upload and return its id; raises NotFound, PreconditionFailed."""
        self._objects.check(target)
        upload_id = self._contents.begin()
        fields, conditions = json.dumps(target.fields), json.dumps(target.conditions.to_json())
        row = (upload_id, target.bucket, target.name, now(), fields, json.dumps(hashes), conditions, None)
        with self._database.writing() as db:
            db.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return upload_id

    def send(self, upload_id: str, piece: Piece, pieces: Iterable[bytes], hashes: Hashes) -> StoredObject | int:
        """Add bytes; return the object if they were the last, or how many bytes are there by now.

        Bytes that are there already are skipped. Raises NotFound, Rejected, PreconditionFailed.
        """
        with self._locked(upload_id) as (session, file):
            if file is None:
                return self._objects.get(Source(session.target.bucket, session.target.name, session.generation))
            if piece.start is not None:
                _append(file, piece, piece.start, pieces)
            there = os.fstat(file.fileno()).st_size
            if there != (there if piece.is_whole else piece.total):
                return there
            return self._finish(session, hashes)

    def cancel(self, upload_id: str) -> None:
        """Forget an upload, but not the object that it may have become; raises NotFound."""
        with self._locked(upload_id):
            with self._database.writing() as db:
                db.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
            self._contents.remove(upload_id)

    def sweep(self) -> None:
        """Forget uploads that are too old, and remove contents that nothing refers to."""
        oldest = (datetime.now(UTC) - KEPT_FOR).isoformat()
        with self._database.writing() as db:
            db.execute("DELETE FROM uploads WHERE begun < ?", (oldest,))
            known = db.execute("SELECT content FROM objects UNION SELECT id FROM uploads").fetchall()
        self._contents.sweep({row[0] for row in known})

    def _finish(self, session: _Session, hashes: Hashes) -> StoredObject:
        content = self._contents.finish(session.id)
        verify(content, session.hashes | hashes)

        def done(db: sqlite3.Connection, made: StoredObject) -> None:
            db.execute("UPDATE uploads SET generation = ? WHERE id = ?", (made.generation, session.id))

        # The object gets a link of its own: if its preconditions fail, asking again has the same answer.
        made = self._objects.put(session.target, replace(content, id=self._contents.link(content.id)), also=done)
        self._contents.remove(session.id)
        return made

    @contextmanager
    def _locked(self, upload_id: str) -> Iterator[tuple[_Session, BinaryIO | None]]:
        """Give an upload to one request at a time; without its file once it has become an object."""
        session = self._session(upload_id)
        try:
            number = os.open(self._contents.path(session.id), os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError as exc:
            if self._session(upload_id).generation is None:
                raise NotFound(f"upload {upload_id!r} is gone") from exc
            yield self._session(upload_id), None
            return
        with open(number, "ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            session = self._session(upload_id)
            yield session, file if session.generation is None else None

    def _session(self, upload_id: str) -> _Session:
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM uploads WHERE id = ?", (upload_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no upload {upload_id[:64]!r}")
        conditions = Preconditions(**json.loads(row["conditions"]))
        target = Target(row["bucket"], row["name"], json.loads(row["fields"]), conditions)
        return _Session(row["id"], target, json.loads(row["hashes"]), row["generation"])


def verify(content: Content, hashes: Hashes) -> None:
    """Raise Rejected where a content is not what its sender says."""
    for name, there in (("md5Hash", content.md5), ("crc32c", content.crc32c)):
        if name in hashes and hashes[name] != there:
            raise Rejected(f"{name} should be {hashes[name]!r}, but of what arrived it is {there!r}")


def _append(file: BinaryIO, piece: Piece, start: int, pieces: Iterable[bytes]) -> None:
    """Write the bytes that are not there yet; of an upload that is not complete, whole granules are kept."""
    there = os.fstat(file.fileno()).st_size
    if start > there:
        raise Rejected(f"the piece begins at byte {start}, but only {there} bytes are there")
    position, complete = start, False
    try:
        for data in pieces:
            write_all(file, data[max(0, there - position) :])
            position += len(data)
        complete = piece.is_whole or position == piece.end == piece.total
    finally:
        size = max(there, position)
        if not complete:
            file.truncate(max(there, size - size % GRANULE_BYTES))
    if piece.end is not None and position != piece.end:
        raise Rejected(f"the body has {position - start} bytes, its Content-Range says {piece.end - start}")
    if not complete and position - start < GRANULE_BYTES:
        raise Rejected(f"every piece but the last must have a multiple of {GRANULE_BYTES} bytes")
