"""Readiness: whether a server really answers. Every question raises Unavailable as long as it does not."""

import http.client
import socket
from contextlib import closing

from deploy.local.ports import HOST
from shared.errors import Unavailable

ANSWER_S = 2.0


def answers(port: int, path: str = "/", status: int | None = None) -> None:
    """Ask a server on this machine by HTTP; any answer will do where no status is asked for."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=ANSWER_S)) as connection:
        try:
            connection.request("GET", path)
            got = connection.getresponse().status
        except (OSError, http.client.HTTPException) as exc:
            raise Unavailable(f"port {port} does not answer: {exc}") from exc
    if status is not None and got != status:
        raise Unavailable(f"port {port} answers {got} to GET {path}")


def listens(port: int) -> None:
    """Ask a server on this machine, whatever it speaks, for a connection."""
    try:
        socket.create_connection((HOST, port), ANSWER_S).close()
    except OSError as exc:
        raise Unavailable(f"port {port} does not answer: {exc}") from exc
