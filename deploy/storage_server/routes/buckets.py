"""Bucket routes: making, finding, changing and deleting buckets."""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, jsonify, request

from deploy.storage_server.names import bucket_fields, check_bucket_name, patched
from deploy.storage_server.preconditions import preconditions, whole_number
from deploy.storage_server.routes.incoming import base_url, check_etag, json_body
from deploy.storage_server.server import Server
from deploy.storage_server.stored import Fields

BUCKETS = "/storage/v1/b"
BUCKET = f"{BUCKETS}/<quoted:bucket>"
MOST_ITEMS = 1000


def routes(server: Server) -> Blueprint:
    """Return the routes."""
    blueprint = Blueprint("buckets", __name__)
    buckets = server.buckets

    @blueprint.post(BUCKETS)
    def create() -> Response:
        resource = json_body()
        name = check_bucket_name(resource.get("name"))
        return jsonify(buckets.create(name, _project(server), bucket_fields(resource)).resource(base_url()))

    @blueprint.get(BUCKETS)
    def list_() -> Response:
        most = min(whole_number(request.args, "maxResults", least=1) or MOST_ITEMS, MOST_ITEMS)
        prefix, after = request.args.get("prefix", ""), request.args.get("pageToken", "")
        found = buckets.list(_project(server), prefix, after, most + 1)
        token = {"nextPageToken": found[most - 1].name} if len(found) > most else {}
        items = [bucket.resource(base_url()) for bucket in found[:most]]
        return jsonify({"kind": "storage#buckets", "items": items, **token})

    @blueprint.get(BUCKET)
    def get(bucket: str) -> Response:
        found = buckets.get(bucket, preconditions(request.args))
        check_etag(found.etag)
        return jsonify(found.resource(base_url()))

    @blueprint.patch(BUCKET)
    def patch(bucket: str) -> Response:
        asked = json_body()
        return _change(server, bucket, lambda old: bucket_fields(patched(old, asked)))

    @blueprint.put(BUCKET)
    def update(bucket: str) -> Response:
        fields = bucket_fields(json_body())
        return _change(server, bucket, lambda _: fields)

    @blueprint.delete(BUCKET)
    def delete(bucket: str) -> Response:
        buckets.delete(bucket, preconditions(request.args))
        return Response(status=204)

    blueprint.add_url_rule(f"{BUCKET}/storageLayout", "layout", partial(_layout, server))
    blueprint.add_url_rule(f"{BUCKET}/managedFolders", "folders", partial(_no_folders, server))
    return blueprint


def _layout(server: Server, bucket: str) -> Response:
    server.buckets.get(bucket)
    where = {"location": "US", "locationType": "multi-region"}
    return jsonify({"kind": "storage#storageLayout", "bucket": bucket, **where})


def _no_folders(server: Server, bucket: str) -> Response:
    server.buckets.get(bucket)
    return jsonify({"kind": "storage#managedFolders", "items": []})


def _change(server: Server, bucket: str, fields: Callable[[Fields], Fields]) -> Response:
    return jsonify(server.buckets.change(bucket, preconditions(request.args), fields).resource(base_url()))


def _project(server: Server) -> str:
    return request.args.get("project") or server.project
