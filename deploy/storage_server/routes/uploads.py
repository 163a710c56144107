"""Upload routes: content in one request, or resumably in several."""

from functools import partial
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from deploy.storage_server.names import check_object_name, object_fields
from deploy.storage_server.objects import Target
from deploy.storage_server.preconditions import preconditions
from deploy.storage_server.ranges import sent_piece
from deploy.storage_server.related import Related
from deploy.storage_server.routes.incoming import base_url, body, hashes_of, json_body, json_object, parameter
from deploy.storage_server.server import Server
from deploy.storage_server.stored import Fields, StoredObject
from deploy.storage_server.uploads import verify
from shared.errors import Rejected

PATHS = ("/upload/storage/v1/b/<quoted:bucket>/o", "/resumable/upload/storage/v1/b/<quoted:bucket>/o")
OCTETS = "application/octet-stream"
CLIENT_CLOSED = 499
"""What Cloud Storage answers to a cancelled upload."""


def routes(server: Server) -> Blueprint:
    """Return the routes."""
    blueprint = Blueprint("uploads", __name__)

    for number, path in enumerate(PATHS):
        blueprint.add_url_rule(path, f"upload{number}", partial(_upload, server), methods=["POST"])
        blueprint.add_url_rule(path, f"send{number}", partial(_send, server), methods=["PUT"])
        blueprint.add_url_rule(path, f"cancel{number}", partial(_cancel, server), methods=["DELETE"])
    return blueprint


def _upload(server: Server, bucket: str) -> Response:
    kind = parameter("uploadType")
    if kind == "media":
        return jsonify(_media(server, bucket).resource(base_url()))
    if kind == "multipart":
        return jsonify(_multipart(server, bucket).resource(base_url()))
    if kind == "resumable":
        return _begin(server, bucket)
    raise Rejected(f"uploadType {kind[:40]!r} is none of media, multipart, resumable")


def _send(server: Server, bucket: str) -> Response:
    length = None if request.content_encoding else request.content_length
    piece = sent_piece(request.headers.get("Content-Range"), length)
    outcome = server.uploads.send(parameter("upload_id"), piece, body(), hashes_of({}))
    if isinstance(outcome, StoredObject):
        return jsonify(outcome.resource(base_url()))
    there = {"Range": f"bytes=0-{outcome - 1}"} if outcome else {}
    return Response(status=308, headers={**there, "X-Goog-Upload-Status": "active"})


def _cancel(server: Server, bucket: str) -> Response:
    server.uploads.cancel(parameter("upload_id"))
    return Response(status=CLIENT_CLOSED)


def _media(server: Server, bucket: str) -> StoredObject:
    resource: Fields = {"contentType": request.headers.get("Content-Type", OCTETS)}
    target = _target(bucket, resource)
    return server.objects.receive(target, body(), lambda content: verify(content, hashes_of({})))


def _multipart(server: Server, bucket: str) -> StoredObject:
    related = Related(request.headers.get("Content-Type", ""), body())
    metadata, content_type = related.head()
    resource = {"contentType": content_type or OCTETS, **json_object(metadata)}
    hashes = hashes_of(resource)
    return server.objects.receive(_target(bucket, resource), related.content(), lambda content: verify(content, hashes))


def _begin(server: Server, bucket: str) -> Response:
    resource = {"contentType": request.headers.get("X-Upload-Content-Type", OCTETS), **json_body()}
    upload_id = server.uploads.begin(_target(bucket, resource), hashes_of(resource))
    location = f"{base_url()}/upload/storage/v1/b/{quote(bucket)}/o?uploadType=resumable&upload_id={upload_id}"
    return Response(status=200, headers={"Location": location, "X-GUploader-UploadID": upload_id})


def _target(bucket: str, resource: Fields) -> Target:
    name = check_object_name(request.args.get("name") or resource.get("name"))
    if encoding := request.args.get("contentEncoding"):
        resource["contentEncoding"] = encoding
    return Target(bucket, name, object_fields(resource), preconditions(request.args))
