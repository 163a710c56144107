"""App: Cloud Storage's JSON API as a WSGI application."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.routing import BaseConverter

from deploy.storage_server.preconditions import NotModified, PreconditionFailed
from deploy.storage_server.ranges import OutOfRange
from deploy.storage_server.routes import batches, buckets, copying, downloads, notifications, objects, uploads
from deploy.storage_server.server import Server
from shared.errors import Conflict, FitsenseError, NotFound, Rejected, Unavailable

ANSWERS: dict[type[FitsenseError], tuple[int, str]] = {
    PreconditionFailed: (412, "conditionNotMet"),
    OutOfRange: (416, "requestedRangeNotSatisfiable"),
    Conflict: (409, "conflict"),
    NotFound: (404, "notFound"),
    Rejected: (400, "invalid"),
    Unavailable: (503, "backendError"),
}
WsgiApp = Callable[..., Iterable[bytes]]


class Quoted(BaseConverter):
    """A path segment as it was sent, so that a `%2F` in a name is no path separator; raises BadRequest."""

    def to_python(self, value: str) -> str:
        """Decode a segment."""
        try:
            return unquote(value, errors="strict")
        except UnicodeDecodeError as exc:
            raise BadRequest(f"{value[:100]!r} is not UTF-8") from exc


class QuotedPath(Quoted):
    """Any number of segments."""

    part_isolating = False
    regex = ".+"


def create_app(server: Server) -> Flask:
    """Return the application; what it serves is all in `server`."""
    app = Flask(__name__, static_folder=None)
    app.url_map.converters |= {"quoted": Quoted, "quoted_path": QuotedPath}
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    for blueprint in (buckets, notifications, objects, copying, uploads, batches, downloads):
        app.register_blueprint(blueprint.routes(server))
    app.before_request(_check_query)
    app.register_error_handler(FitsenseError, _refuse)
    app.register_error_handler(HTTPException, _explain)
    app.register_error_handler(OSError, _fail)
    for path in ("/storage/v1/<quoted_path:path>", "/upload/<quoted_path:path>"):
        app.add_url_rule(path, path, _unsupported, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    app.add_url_rule("/", view_func=lambda: {"status": "ok"}, endpoint="ready")
    app.wsgi_app = _undecoded(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _undecoded(app: WsgiApp) -> WsgiApp:
    """Let routes see the path as it was sent; WSGI servers decode it, which makes names with slashes ambiguous."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["RAW_URI"].partition("?")[0]
        environ["PATH_INFO"] = re.sub("^https?://[^/]*", "", path)
        return app(environ, start_response)

    return call


def _unsupported(path: str) -> Response:
    # 501 would be the word for it, but gcloud asks again for a minute after any 5xx.
    return _error(400, "notImplemented", f"this storage server has no {request.method} {path!r}; see its --help")


def _check_query() -> None:
    try:
        unquote_to_bytes(request.query_string).decode()
    except UnicodeDecodeError as exc:
        raise Rejected("the query string is not UTF-8") from exc


def _refuse(error: FitsenseError) -> Response:
    if isinstance(error, NotModified):
        return Response(status=304)
    code, reason = next(answer for kind, answer in ANSWERS.items() if isinstance(error, kind))
    answer = _error(code, reason, str(error))
    if isinstance(error, OutOfRange):
        answer.headers["Content-Range"] = f"bytes */{error.size_bytes}"
    return answer


def _explain(error: HTTPException) -> Response:
    answer = _error(error.code or 500, "invalid" if error.code != 404 else "notFound", error.description or error.name)
    answer.headers.extend({name: value for name, value in error.get_headers() if name in ("Allow", "Location")})
    return answer


def _fail(error: OSError) -> Response:
    return _error(503, "backendError", f"the server's disk: {error.strerror or error}")


def _error(code: int, reason: str, message: str) -> Response:
    errors = [{"message": message, "domain": "global", "reason": reason}]
    answer = jsonify(error={"code": code, "message": message, "errors": errors})
    answer.status_code = code
    return answer
