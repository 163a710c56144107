"""Upstream: the way to a model server, and the ways in which it fails.

Nothing of a client's headers goes to a server and nothing of a server's headers to a client, but what is named here:
so no hop-by-hop header and no credential can pass. Closing a response before its end hangs up, which makes vLLM stop
generating.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from services.inference_router.routing import Target

KEEP_ALIVE_S = 4.0
"""vLLM's server hangs up on a connection that was idle for five seconds."""
CONNECT_S = 2.0


class LostError(Exception):
    """The server could not be reached, or hung up."""


class Upstream:
    """Connections to model servers, made inside a running event loop and kept open between requests."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=1 << 18,
        )

    @asynccontextmanager
    async def ask(
        self, target: Target, key: str, body: bytes, request_id: str, traceparent: str = ""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request and yield the response, its body unread; raises LostError."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "X-Request-Id": request_id}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        if traceparent:
            headers["traceparent"] = traceparent
        try:
            async with self._session.post(
                f"{target.backend}/v1/chat/completions", data=body, headers=headers, allow_redirects=False
            ) as response:
                yield response
        except aiohttp.ClientError as exc:
            raise LostError(f"{type(exc).__name__}: {exc}") from exc

    async def close(self) -> None:
        """Close what is open."""
        await self._session.close()
