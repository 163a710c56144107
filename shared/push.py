"""Push: a Pub/Sub push as a message, and errors as answers to it.

    Rejected 400 · NotFound 404 · Conflict 409 · Unavailable 503 · a bug 500     delivered again, then a dead letter
    Stopped 204                                                                  acknowledged: the run's state says it

Every error has one body: {"error": {"code", "message", "request_id"}}. What a bug says stays in the log.
"""

import base64
import logging
from collections.abc import Callable

import flask
from cloudevents.exceptions import GenericException as CloudEventError
from cloudevents.http import CloudEvent
from werkzeug.exceptions import HTTPException

from shared.bus import Message
from shared.errors import FitsenseError, Rejected, Stopped
from shared.statuses import status_of

log = logging.getLogger("fitsense.push")

Answer = tuple[dict[str, object] | str, int]


def message_in(cloud_event: CloudEvent) -> Message:
    """Return the message inside a Pub/Sub push; raises Rejected saying what is wrong with it."""
    data = cloud_event.data
    pushed = data.get("message") if isinstance(data, dict) else None
    if not isinstance(pushed, dict):
        raise Rejected("the delivery holds no Pub/Sub message")
    try:
        payload = base64.b64decode(pushed.get("data") or b"", validate=True)
    except (ValueError, TypeError) as exc:
        raise Rejected(f"the message's data are not base64: {exc}") from exc
    topic = str(cloud_event["source"]).rpartition("/")[2]
    return Message(topic, payload, dict(pushed.get("attributes") or {}))


def push_function(function: Callable[[CloudEvent], None]) -> Callable[[CloudEvent], None]:
    """Have the app that functions-framework is making of a function answer errors as told above.

    It imports main.py in the context of that app; where anybody else imports it, there is nothing to answer.
    """
    if flask.has_app_context():
        for kind, answer in ANSWERS.items():
            flask.current_app.register_error_handler(kind, answer)
    return function


def _refuse(exc: FitsenseError) -> Answer:
    log.warning("delivery refused", extra={"error": f"{type(exc).__name__}: {exc}", "request_id": _request_id()})
    if isinstance(exc, Stopped):
        return "", 204
    status, code = status_of(exc)
    return _body(code, str(exc)), status


def _malformed(exc: CloudEventError) -> Answer:
    return _body("rejected", f"no event can be read from the request: {exc}"), 400


def _http_error(exc: HTTPException) -> Answer:
    return _body(exc.name.lower().replace(" ", "_"), exc.description or exc.name), exc.code or 500


def _crash(exc: Exception) -> Answer:
    del exc  # Flask has logged it with its traceback
    return _body("internal", "something is broken here; the log says what, under this request's id"), 500


ANSWERS: dict[type[Exception] | int, Callable[..., Answer]] = {
    FitsenseError: _refuse,
    CloudEventError: _malformed,
    HTTPException: _http_error,
    500: _crash,
}


def _body(code: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message, "request_id": _request_id()}}


def _request_id() -> str:
    """Return the id that functions-framework, or Cloud Run before it, gave the request."""
    return flask.request.headers.get("Function-Execution-Id", "")
