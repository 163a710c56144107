"""HTTP: one request and its response, as the ASGI server hands them over.

ASGI and not WSGI, because a WSGI application is not told that its client has left, and because a request that
waits for its turn or for the next token here takes no thread.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

from services.inference_router.api_errors import ApiError

Event = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

JSON = b"application/json"


DROPPED = 16
"""So many times the allowed length is read before a connection is given up."""


class ClientLeftError(Exception):
    """The client went before its request was here."""


class Client(Protocol):
    """Whoever waits for an answer."""

    async def respond(self, status: int, body: bytes, headers: Headers = ()) -> None:
        """Answer in one piece."""

    async def begin(self, headers: Headers) -> None:
        """Begin a stream of events."""

    async def send(self, data: bytes) -> None:
        """Send a part of it; returns when there is room for more."""

    async def end(self) -> None:
        """End the stream."""

    async def gone(self) -> None:
        """Return when the client has left."""


class Http:
    """A client at the other end of a connection."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive
        self._send = send

    def header(self, name: bytes) -> str:
        """Return a header's value, or nothing."""
        return self._headers.get(name, b"").decode("latin-1")

    async def body(self, most_bytes: int) -> bytes:
        """Return the request's body; raises ApiError where it is too long, ClientLeftError where it does not come.

        One that is too long is read to its end all the same, within reason: most clients do not listen before that.
        """
        parts: list[bytes] = []
        size, more = 0, True
        while more and size <= DROPPED * most_bytes:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise ClientLeftError
            part = event.get("body", b"")
            size += len(part)
            if size <= most_bytes:
                parts.append(part)
            more = event.get("more_body", False)
        if size > most_bytes:
            raise _too_large(size, most_bytes)
        return b"".join(parts)

    async def respond(self, status: int, body: bytes, headers: Headers = (), kind: bytes = JSON) -> None:
        """Answer in one piece."""
        sent = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": sent})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def begin(self, headers: Headers) -> None:
        """Begin a stream of events that nothing on the way is to hold back."""
        sent = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            *headers,
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": sent})

    async def send(self, data: bytes) -> None:
        """Send a part."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """End the stream."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def gone(self) -> None:
        """Wait for the disconnect, which is all that can still come."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _too_large(size: int, most_bytes: int) -> ApiError:
    return ApiError(413, "too_large", f"the body has {size:,} bytes or more; {most_bytes:,} are allowed")
