"""Related: a `multipart/related` body of two parts, metadata and content, read without holding the content."""

import re
from collections.abc import Iterable, Iterator
from email.parser import BytesHeaderParser

from shared.errors import Rejected

# gcloud puts the boundary in single quotes, which are none by the standard.
BOUNDARY = re.compile(r"""boundary=(["']?)([^"';\s]+)\1""", re.IGNORECASE)
HEAD_LIMIT_BYTES = 1 << 22


class Related:
    """A body under way: `head` first, then `content`. Both raise Rejected where the body is not well-formed."""

    def __init__(self, content_type: str, pieces: Iterable[bytes]) -> None:
        match = BOUNDARY.search(content_type)
        if match is None or not content_type.lower().startswith("multipart/related"):
            raise Rejected(f"Content-Type must be multipart/related with a boundary, not {content_type[:80]!r}")
        self._boundary = b"--" + match[2].encode("latin-1", "replace")
        self._pieces = iter(pieces)
        self._buffer = b""
        self._newline = b"\r\n"

    def head(self) -> tuple[bytes, str | None]:
        """Return the metadata part, and the content type of the content part."""
        self._until(self._boundary)
        line = self._until(b"\n")
        self._newline = b"\r\n" if line.endswith(b"\r") else b"\n"
        self._until(self._newline * 2) if not self._buffer.startswith(self._newline) else None
        metadata = self._until(self._newline + self._boundary)
        self._until(self._newline)
        headers = BytesHeaderParser().parsebytes(self._until(self._newline * 2))
        return metadata, headers["Content-Type"]

    def content(self) -> Iterator[bytes]:
        """Yield the content in pieces."""
        end = self._newline + self._boundary
        while (found := self._buffer.find(end)) < 0:
            # The boundary may be cut in two, so the last bytes wait for the next piece.
            keep = len(end) - 1
            if len(self._buffer) > keep:
                yield self._buffer[:-keep]
                self._buffer = self._buffer[-keep:]
            self._fill()
        yield self._buffer[:found]
        for _ in self._pieces:
            pass

    def _until(self, mark: bytes) -> bytes:
        """Return what comes before a mark, and go on behind it."""
        while (found := self._buffer.find(mark)) < 0:
            if len(self._buffer) > HEAD_LIMIT_BYTES:
                raise Rejected("the first parts of the multipart body are too long")
            self._fill()
        before, self._buffer = self._buffer[:found], self._buffer[found + len(mark) :]
        return before

    def _fill(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise Rejected("the multipart body ends before its last boundary")
        self._buffer += piece
