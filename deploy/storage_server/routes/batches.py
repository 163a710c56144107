"""Batch routes: many calls in one request, answered one after the other."""

import re
import uuid
from email.message import Message
from email.parser import BytesParser
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request
from werkzeug.test import EnvironBuilder, run_wsgi_app

from deploy.storage_server.routes.incoming import body, limited
from deploy.storage_server.server import Server
from shared.errors import Rejected

MOST_CALLS = 1000
REQUEST_LINE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.[01]")


def routes(_: Server) -> Blueprint:
    """Return the route."""
    blueprint = Blueprint("batches", __name__)

    @blueprint.post("/batch/storage/v1")
    def batch() -> Response:
        boundary = uuid.uuid4().hex
        answers = [b"--%s\r\n%s\r\n" % (boundary.encode(), _answer(call)) for call in _calls()]
        content = b"".join(answers) + b"--%s--\r\n" % boundary.encode()
        return Response(content, content_type=f'multipart/mixed; boundary="{boundary}"')

    return blueprint


def _calls() -> list[Message]:
    head = f"Content-Type: {request.headers.get('Content-Type', '')}\r\n\r\n".encode("latin-1")
    parsed = BytesParser().parsebytes(head + b"".join(limited(body())))
    calls = parsed.get_payload()
    if not isinstance(calls, list) or not 1 <= len(calls) <= MOST_CALLS:
        raise Rejected(f"a batch is a multipart/mixed body of 1 to {MOST_CALLS} calls")
    return [call for call in calls if isinstance(call, Message)]


def _answer(call: Message) -> bytes:
    content_id = call.get("Content-ID", "").strip("<>")
    status, headers, content = _perform(str(call.get_payload()))
    head = [f"Content-Type: application/http\r\nContent-ID: <response-{content_id}>\r\n\r\nHTTP/1.1 {status}"]
    head += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + content


def _perform(call: str) -> tuple[str, list[tuple[str, str]], bytes]:
    head, _, content = re.sub(r"\r?\n", "\n", call.lstrip()).partition("\n\n")
    match = REQUEST_LINE.match(head)
    if match is None or "/batch/" in match[2]:
        raise Rejected(f"a batched call must be an HTTP request, not {head[:60]!r}")
    url = urlsplit(match[2])
    builder = EnvironBuilder(
        path=url.path, query_string=url.query, method=match[1], data=content.encode(), base_url=request.host_url
    )
    environ = builder.get_environ()
    environ["RAW_URI"] = url.path
    answer, status, headers = run_wsgi_app(current_app.wsgi_app, environ, buffered=True)
    return status, list(headers), b"".join(answer)
