"""Pass-through: the least that a Flask proxy can do; what the router is compared with.."""

import http.client
import os
import threading
from collections.abc import Iterator

import flask

UPSTREAM_PORT = int(os.environ.get("UPSTREAM_PORT", "0"))
app = flask.Flask(__name__)
local = threading.local()


@app.post("/v1/chat/completions")
def complete() -> flask.Response:
    """Send the body on, and the answer back."""
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPConnection("127.0.0.1", UPSTREAM_PORT)
    connection = local.connection
    connection.request("POST", "/v1/chat/completions", flask.request.get_data(), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    kind = answer.getheader("Content-Type")
    if kind != "text/event-stream":
        return flask.Response(answer.read(), content_type=kind)

    def pieces() -> Iterator[bytes]:
        while piece := answer.read1(65536):
            yield piece

    return flask.Response(pieces(), content_type=kind)
