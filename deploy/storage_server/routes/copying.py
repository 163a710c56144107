"""Copying routes: objects made of other objects."""

from flask import Blueprint, Response, jsonify, request

from deploy.storage_server.names import check_object_name, object_fields, settable
from deploy.storage_server.objects import Source, Target
from deploy.storage_server.preconditions import preconditions, whole_number
from deploy.storage_server.routes.incoming import base_url, json_body
from deploy.storage_server.server import Server
from deploy.storage_server.stored import Fields
from shared.errors import Rejected

OBJECT = "/storage/v1/b/<quoted:bucket>/o/<quoted:name>"
MOST_SOURCES = 32


def routes(server: Server) -> Blueprint:
    """Return the routes."""
    blueprint = Blueprint("copying", __name__)
    objects = server.objects

    @blueprint.post(f"{OBJECT}/compose")
    def compose(bucket: str, name: str) -> Response:
        resource = json_body()
        wanted = resource.get("destination")
        destination = wanted if isinstance(wanted, dict) else {}
        made = objects.compose(
            _sources(bucket, resource),
            _target(bucket, name, object_fields(destination)),
            keep_sources=resource.get("deleteSourceObjects") is not True,
        )
        return jsonify(made.resource(base_url()))

    @blueprint.post(f"{OBJECT}/copyTo/b/<quoted:to_bucket>/o/<quoted:to_name>")
    def copy(bucket: str, name: str, to_bucket: str, to_name: str) -> Response:
        return jsonify(_copy(server, bucket, name, to_bucket, to_name))

    @blueprint.post(f"{OBJECT}/rewriteTo/b/<quoted:to_bucket>/o/<quoted:to_name>")
    def rewrite(bucket: str, name: str, to_bucket: str, to_name: str) -> Response:
        resource = _copy(server, bucket, name, to_bucket, to_name)
        size = {"totalBytesRewritten": resource["size"], "objectSize": resource["size"]}
        return jsonify({"kind": "storage#rewriteResponse", **size, "done": True, "resource": resource})

    @blueprint.post(f"{OBJECT}/moveTo/o/<quoted:to_name>")
    def move(bucket: str, name: str, to_name: str) -> Response:
        return jsonify(objects.move(_source(bucket, name), _target(bucket, to_name, {})).resource(base_url()))

    return blueprint


def _copy(server: Server, bucket: str, name: str, to_bucket: str, to_name: str) -> Fields:
    resource = json_body()
    asked = object_fields(resource)
    # As in Cloud Storage: metadata that are given replace the source's, all of them.
    given = bool(settable(resource))
    made = server.objects.copy(
        _source(bucket, name), _target(to_bucket, to_name, {}), lambda old: asked if given else old
    )
    return made.resource(base_url())


def _source(bucket: str, name: str) -> Source:
    generation = whole_number(request.args, "sourceGeneration")
    return Source(bucket, name, generation, preconditions(request.args, "ifSource"))


def _target(bucket: str, name: str, fields: Fields) -> Target:
    return Target(bucket, check_object_name(name), fields, preconditions(request.args))


def _sources(bucket: str, resource: Fields) -> list[Source]:
    listed = resource.get("sourceObjects")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_SOURCES:
        raise Rejected(f"sourceObjects must be a list of 1 to {MOST_SOURCES}")
    return [_composed(bucket, item) for item in listed]


def _composed(bucket: str, item: object) -> Source:
    if not isinstance(item, dict) or not isinstance(wanted := item.get("objectPreconditions", {}), dict):
        raise Rejected("each of sourceObjects must be an object with a name")
    given = {name: str(value) for name, value in {**item, **wanted}.items() if value is not None}
    return Source(bucket, check_object_name(item.get("name")), whole_number(given, "generation"), preconditions(given))
