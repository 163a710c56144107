"""Download routes: content, whole or in ranges, for API clients and for browsers."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import BinaryIO

from flask import Blueprint, Response, request

from deploy.storage_server.contents import PIECE_BYTES, pieces_of
from deploy.storage_server.names import HEADER_FIELDS
from deploy.storage_server.objects import Source
from deploy.storage_server.preconditions import preconditions, whole_number
from deploy.storage_server.ranges import wanted_bytes
from deploy.storage_server.routes.incoming import check_etag, gunzip
from deploy.storage_server.server import Server
from deploy.storage_server.stored import STANDARD, StoredObject

SENT_AS = ("Content-Type", "Content-Encoding", "Content-Disposition", "Content-Language", "Cache-Control")
HEADERS = dict(zip(HEADER_FIELDS, SENT_AS, strict=True))


def routes(server: Server) -> Blueprint:
    """Return the routes. The last, which browsers use, takes any path that no other route knows."""
    blueprint = Blueprint("downloads", __name__)

    def download(bucket: str, name: str) -> Response:
        return content_response(server, requested_source(bucket, name))

    blueprint.add_url_rule("/download/storage/v1/b/<quoted:bucket>/o/<quoted:name>", "download", download)
    blueprint.add_url_rule("/<quoted:bucket>/<quoted_path:name>", "browse", download)
    return blueprint


def requested_source(bucket: str, name: str) -> Source:
    """Return the object that a request speaks of."""
    return Source(bucket, name, whole_number(request.args, "generation"), preconditions(request.args))


def content_response(server: Server, source: Source) -> Response:
    """Answer with an object's content, or the range of it that is wanted."""
    found, file = server.objects.open(source)
    try:
        response = _response(found, file)
    except BaseException:
        file.close()
        raise
    if request.method == "HEAD":
        file.close()
    return response


def _response(found: StoredObject, file: BinaryIO) -> Response:
    check_etag(found.etag)
    size_bytes = found.content.size_bytes
    if found.encoding == "gzip" and not _takes_gzip():
        response = Response(gunzip(pieces_of(file.read)), headers=_headers(found))
        response.call_on_close(file.close)
        del response.headers["Content-Encoding"], response.headers["Accept-Ranges"]
        response.headers["Warning"] = '214 storage-server "decompressed"'
        return response
    wanted = wanted_bytes(request.headers.get("Range"), size_bytes)
    start, end = wanted or (0, size_bytes)
    response = Response(_range(file, start, end), headers=_headers(found))
    response.call_on_close(file.close)
    response.content_length = end - start
    if wanted:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
    return response


def _takes_gzip() -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _range(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (piece := file.read(min(PIECE_BYTES, end - start))):
        start += len(piece)
        yield piece


def _headers(found: StoredObject) -> dict[str, str]:
    hashes = f"crc32c={found.content.crc32c}" + (f",md5={found.content.md5}" if found.content.md5 else "")
    own = {header: str(found.fields[name]) for name, header in HEADERS.items() if found.fields.get(name)}
    return {
        "Content-Type": "application/octet-stream",
        **own,
        "Accept-Ranges": "bytes",
        "ETag": f'"{found.etag}"',
        "Last-Modified": format_datetime(datetime.fromisoformat(found.updated), usegmt=True),
        "Vary": "Accept-Encoding",
        "X-Goog-Hash": hashes,
        "X-Goog-Generation": str(found.generation),
        "X-Goog-Metageneration": str(found.metageneration),
        "X-Goog-Stored-Content-Encoding": found.encoding or "identity",
        "X-Goog-Stored-Content-Length": str(found.content.size_bytes),
        "X-Goog-Storage-Class": str(found.fields.get("storageClass", STANDARD)),
    }
