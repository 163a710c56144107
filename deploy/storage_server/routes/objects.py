"""Object routes: metadata, listing, deleting."""

from flask import Blueprint, Response, jsonify, request

from deploy.storage_server.listing import Query, list_objects
from deploy.storage_server.names import object_fields, patched, settable
from deploy.storage_server.preconditions import whole_number
from deploy.storage_server.routes.downloads import content_response, requested_source
from deploy.storage_server.routes.incoming import base_url, check_etag, is_on, json_body
from deploy.storage_server.server import Server
from deploy.storage_server.stored import Fields

BUCKET = "/storage/v1/b/<quoted:bucket>/o"
OBJECT = f"{BUCKET}/<quoted:name>"
MOST_ITEMS = 1000


def routes(server: Server) -> Blueprint:
    """Return the routes."""
    blueprint = Blueprint("objects", __name__)
    objects = server.objects

    @blueprint.get(BUCKET)
    def list_(bucket: str) -> Response:
        page = list_objects(server.database, bucket, _query())
        items = [found.resource(base_url()) for found in page.items]
        answer: Fields = {"kind": "storage#objects", "items": items, "prefixes": page.prefixes}
        return jsonify({**answer, **({"nextPageToken": page.token} if page.token else {})})

    @blueprint.get(OBJECT)
    def get(bucket: str, name: str) -> Response:
        source = requested_source(bucket, name)
        if request.args.get("alt") == "media":
            return content_response(server, source)
        found = objects.get(source)
        check_etag(found.etag)
        return jsonify(found.resource(base_url()))

    @blueprint.patch(OBJECT)
    def patch(bucket: str, name: str) -> Response:
        asked = settable(json_body())
        changed = objects.change(requested_source(bucket, name), lambda old: object_fields(patched(old, asked)))
        return jsonify(changed.resource(base_url()))

    @blueprint.put(OBJECT)
    def update(bucket: str, name: str) -> Response:
        fields = object_fields(json_body())
        changed = objects.change(requested_source(bucket, name), lambda _: fields)
        return jsonify(changed.resource(base_url()))

    @blueprint.delete(OBJECT)
    def delete(bucket: str, name: str) -> Response:
        objects.delete(requested_source(bucket, name))
        return Response(status=204)

    return blueprint


def _query() -> Query:
    arguments = request.args
    return Query(
        prefix=arguments.get("prefix", ""),
        delimiter=arguments.get("delimiter", ""),
        start=arguments.get("startOffset", ""),
        end=arguments.get("endOffset", ""),
        glob=arguments.get("matchGlob", ""),
        versions=is_on("versions"),
        delimited_items=is_on("includeTrailingDelimiter"),
        most=min(whole_number(arguments, "maxResults", least=1) or MOST_ITEMS, MOST_ITEMS),
        token=arguments.get("pageToken", ""),
    )
