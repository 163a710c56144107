"""Contents: the bytes of objects and of unfinished uploads, as files named by random ids.

A content is never changed once it is whole. Bytes pass through in pieces, so that an object may be
larger than memory. Files that no object or upload knows any more, left by a server that was killed,
are removed at the next start once they are an hour old.
"""

import base64
import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c

PIECE_BYTES = 1 << 18
LEFT_OVER_AFTER_S = 3600


@dataclass(frozen=True, slots=True)
class Content:
    """A whole content; the hashes are base64, as the API writes them. A composed one has no MD5."""

    id: str
    size_bytes: int
    crc32c: str
    md5: str | None


class Hashes:
    """MD5 and CRC32C of bytes that pass by."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = 0
        self.size_bytes = 0

    def update(self, piece: bytes) -> None:
        """Add bytes."""
        self._md5.update(piece)
        self._crc32c = google_crc32c.extend(self._crc32c, piece)
        self.size_bytes += len(piece)

    def content(self, content_id: str) -> Content:
        """Return the content that all bytes so far make up."""
        crc32c = base64.b64encode(self._crc32c.to_bytes(4, "big")).decode()
        return Content(content_id, self.size_bytes, crc32c, base64.b64encode(self._md5.digest()).decode())


class Contents:
    """The files below a directory."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for number in range(256):
            (root / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, content_id: str) -> Path:
        """Return where a content is."""
        return self._root / content_id[:2] / content_id

    def begin(self) -> str:
        """Make an empty content and return its id."""
        content_id = uuid.uuid4().hex
        self.path(content_id).touch()
        return content_id

    def receive(self, pieces: Iterable[bytes]) -> Content:
        """Write a content, safely on disk before this returns; nothing is left if the pieces raise."""
        content_id = uuid.uuid4().hex
        hashes = Hashes()
        try:
            with open(self.path(content_id), "xb", buffering=0) as file:
                for piece in pieces:
                    hashes.update(piece)
                    write_all(file, piece)
                os.fsync(file.fileno())
        except BaseException:
            self.remove(content_id)
            raise
        return hashes.content(content_id)

    def finish(self, content_id: str) -> Content:
        """Return the content that a file written bit by bit has become, safely on disk."""
        hashes = Hashes()
        with self.open(content_id) as file:
            for piece in pieces_of(file.read):
                hashes.update(piece)
            os.fsync(file.fileno())
        return hashes.content(content_id)

    def link(self, content_id: str) -> str:
        """Return a second id of the same bytes, which costs nothing and outlives the first."""
        new = uuid.uuid4().hex
        os.link(self.path(content_id), self.path(new))
        return new

    def open(self, content_id: str) -> BinaryIO:
        """Open a content for reading; it can be read to the end even if it is removed meanwhile."""
        return open(self.path(content_id), "rb", buffering=0)

    def remove(self, content_id: str) -> None:
        """Remove a content, if it is there."""
        self.path(content_id).unlink(missing_ok=True)

    def sweep(self, known: set[str]) -> None:
        """Remove old files that are not known."""
        for path in self._root.glob("??/*"):
            if path.name not in known and time.time() - path.stat().st_mtime > LEFT_OVER_AFTER_S:
                path.unlink(missing_ok=True)


def pieces_of(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield pieces until there are no more."""
    while piece := read(PIECE_BYTES):
        yield piece


def write_all(file: BinaryIO, piece: bytes) -> None:
    """Write every byte to an unbuffered file, which may take fewer at once."""
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]
