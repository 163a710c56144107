"""Incoming: what requests carry, read in pieces where it is content and checked where it is JSON."""

import json
import zlib
from collections.abc import Iterable, Iterator

from flask import request

from deploy.storage_server.contents import pieces_of
from deploy.storage_server.preconditions import NotModified, PreconditionFailed
from deploy.storage_server.stored import Fields
from deploy.storage_server.uploads import Hashes
from shared.errors import Rejected

JSON_LIMIT_BYTES = 1 << 22
HASH_NAMES = {"md5": "md5Hash", "crc32c": "crc32c"}


def body() -> Iterator[bytes]:
    """Yield the request's body in pieces, decompressed; raises Rejected where it ends too early."""
    pieces = _whole_body()
    return _gunzipped(pieces) if request.content_encoding == "gzip" else pieces


def _whole_body() -> Iterator[bytes]:
    length = 0
    try:
        for piece in pieces_of(request.stream.read):
            length += len(piece)
            yield piece
    except OSError as exc:
        raise Rejected(f"the body broke off after {length} bytes: {exc}") from exc
    if request.content_length is not None and length < request.content_length:
        raise Rejected(f"the body broke off after {length} of {request.content_length} bytes")


def _gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from gunzip(pieces)
    except zlib.error as exc:
        raise Rejected(f"the body is not gzip: {exc}") from exc


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what gzip members, one after the other, hold; raises zlib.error."""
    decoder = zlib.decompressobj(31)
    for piece in pieces:
        while piece:
            yield decoder.decompress(piece)
            piece = decoder.unused_data
            if decoder.eof:
                decoder = zlib.decompressobj(31)
            else:
                break


def json_body() -> Fields:
    """Return the request's JSON object, `{}` where there is none; raises Rejected."""
    return json_object(b"".join(limited(body())))


def limited(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pass pieces on; raises Rejected if they are more than metadata can be."""
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > JSON_LIMIT_BYTES:
            raise Rejected(f"metadata of more than {JSON_LIMIT_BYTES} bytes")
        yield piece


def json_object(text: bytes) -> Fields:
    """Decode a JSON object, `{}` from nothing; raises Rejected."""
    if not text.strip():
        return {}
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Rejected(f"the body is not JSON: {exc}") from exc
    if not isinstance(decoded, dict):
        raise Rejected(f"the body must be a JSON object, not {str(decoded)[:40]!r}")
    return decoded


def parameter(name: str) -> str:
    """Return a parameter of the query that must be there; raises Rejected."""
    value = request.args.get(name)
    if not value:
        raise Rejected(f"the parameter {name!r} is missing")
    return value


def check_etag(etag: str) -> None:
    """Raise PreconditionFailed or NotModified where If-Match or If-None-Match say so."""
    if request.if_match and not request.if_match.contains(etag):
        raise PreconditionFailed(f"If-Match does not name {etag!r}, which is there")
    if request.if_none_match and request.if_none_match.contains(etag):
        raise NotModified(f"If-None-Match names {etag!r}, which is there")


def base_url() -> str:
    """Return how the client calls this server, for links."""
    return request.host_url.rstrip("/")


def is_on(name: str) -> bool:
    """Return whether a parameter of the query says `true`."""
    return request.args.get(name, "").lower() == "true"


def hashes_of(resource: Fields) -> Hashes:
    """Return the hashes that a resource says its content has, and those of the X-Goog-Hash header."""
    hashes = {name: str(resource[name]) for name in HASH_NAMES.values() if resource.get(name)}
    for part in request.headers.get("X-Goog-Hash", "").split(","):
        label, _, value = part.strip().partition("=")
        if label in HASH_NAMES:
            hashes[HASH_NAMES[label]] = value
    return hashes
