"""Notification routes: which events of a bucket go to which topic."""

import re
from dataclasses import asdict

from flask import Blueprint, Response, jsonify

from deploy.storage_server.events import TOPIC_PREFIX, NotificationConfig
from deploy.storage_server.routes.incoming import base_url, json_body
from deploy.storage_server.server import Server
from deploy.storage_server.stored import Fields
from shared.errors import NotFound, Rejected

CONFIGS = "/storage/v1/b/<quoted:bucket>/notificationConfigs"
CONFIG = f"{CONFIGS}/<quoted:number>"
TOPIC = re.compile(rf"(?:{TOPIC_PREFIX})?projects/[^/]+/topics/[^/]+")
EVENTS = ("OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE")
FORMATS = ("JSON_API_V1", "NONE")


def routes(server: Server) -> Blueprint:
    """Return the routes."""
    blueprint = Blueprint("notifications", __name__)
    buckets = server.buckets

    @blueprint.post(CONFIGS)
    def create(bucket: str) -> Response:
        config = notification_config(json_body())
        return jsonify(_resource(bucket, buckets.add_notification(bucket, config), config))

    @blueprint.get(CONFIGS)
    def list_(bucket: str) -> Response:
        items = [_resource(bucket, number, config) for number, config in buckets.notifications(bucket).items()]
        return jsonify({"kind": "storage#notifications", "items": items})

    @blueprint.get(CONFIG)
    def get(bucket: str, number: str) -> Response:
        config = buckets.notifications(bucket).get(_number(number))
        if config is None:
            raise NotFound(f"bucket {bucket!r} has no notification {number[:40]}")
        return jsonify(_resource(bucket, _number(number), config))

    @blueprint.delete(CONFIG)
    def delete(bucket: str, number: str) -> Response:
        buckets.drop_notification(bucket, _number(number))
        return Response(status=204)

    return blueprint


def notification_config(resource: Fields) -> NotificationConfig:
    """Return what a client asks for, defaults filled in; raises Rejected."""
    topic, kinds = resource.get("topic"), resource.get("event_types") or list(EVENTS)
    payload, custom = resource.get("payload_format", FORMATS[0]), resource.get("custom_attributes") or {}
    if not isinstance(topic, str) or not TOPIC.fullmatch(topic):
        raise Rejected(f"topic must be {TOPIC_PREFIX}projects/PROJECT/topics/TOPIC, not {str(topic)[:80]!r}")
    if not isinstance(kinds, list) or any(kind not in EVENTS for kind in kinds):
        raise Rejected(f"event_types must be of {', '.join(EVENTS)}")
    if not isinstance(payload, str) or payload not in FORMATS:
        raise Rejected(f"payload_format must be one of {', '.join(FORMATS)}")
    if not isinstance(custom, dict) or not all(isinstance(value, str) for value in custom.values()):
        raise Rejected("custom_attributes must be an object of texts")
    topic = TOPIC_PREFIX + topic.removeprefix(TOPIC_PREFIX)
    return NotificationConfig(topic, tuple(kinds), str(resource.get("object_name_prefix") or ""), payload, custom)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound(f"there is no notification {text[:40]!r}")
    return int(text)


def _resource(bucket: str, number: int, config: NotificationConfig) -> Fields:
    url = f"{base_url()}/storage/v1/b/{bucket}/notificationConfigs/{number}"
    own = {"kind": "storage#notification", "id": str(number), "etag": str(number), "selfLink": url}
    return {**asdict(config), **own}
