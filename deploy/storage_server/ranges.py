"""Ranges: which bytes a request speaks of, in downloads (Range) and in uploads (Content-Range)."""

import re

from deploy.storage_server.uploads import Piece
from shared.errors import Rejected

RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")
SEVERAL = re.compile(r"bytes=[\d\s,-]+")
CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(?:(\d{1,18})|\*)")


class OutOfRange(Rejected):
    """A reader wants bytes that an object does not have."""

    def __init__(self, header: str, size_bytes: int) -> None:
        super().__init__(f"Range {header[:60]} lies outside the object's {size_bytes} bytes")
        self.size_bytes = size_bytes


def wanted_bytes(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Return the first byte wanted and the one after the last, or None for all of them; raises Rejected, OutOfRange."""
    if not header:
        return None
    match = RANGE.fullmatch(header)
    if match is None:
        if "," in header and SEVERAL.fullmatch(header):
            return None  # several ranges may be answered by the whole
        raise Rejected(f"Range {header[:60]!r} is not understood; write bytes=FIRST-LAST")
    first, last, suffix = match.groups()
    start = int(first) if first else max(0, size_bytes - int(suffix))
    end = min(size_bytes, int(last) + 1) if last else size_bytes
    if start >= size_bytes or (last and int(last) < start):
        raise OutOfRange(header, size_bytes)
    return start, end


def sent_piece(header: str | None, length: int | None) -> Piece:
    """Return where in an upload a request's body belongs; `length` is the body's, if it is known. Raises Rejected."""
    if header is None:
        return Piece(0, length, length)
    match = CONTENT_RANGE.fullmatch(header)
    if match is None:
        raise Rejected(f"Content-Range {header[:60]!r} is not understood; write bytes FIRST-LAST/TOTAL")
    first, last, total = (int(text) if text else None for text in match.groups())
    if first is None or last is None:
        return Piece(None, None, total)
    if last < first or (total is not None and last >= total):
        raise Rejected(f"Content-Range {header} contradicts itself")
    return Piece(first, last + 1, total)
