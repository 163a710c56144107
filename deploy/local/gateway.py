"""Gateway: `python -m deploy.local.gateway`: one public base URL for the services of this machine.

Sends each request on to the service that its path belongs to, and streams the answer back as it comes, events
included. In the cloud a load balancer's URL map does this. What is not public is not reached from here.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Final

import click
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "profile": ("/v1/auth", "/v1/me", "/v1/profile", "/v1/catalog"),
    "plan": ("/v1/plans", "/v1/coach", "/v1/adaptation"),
    "logging": ("/v1/workouts", "/v1/daily", "/v1/targets", "/v1/dashboard", "/v1/interactions"),
}
"""Which service answers below which paths; the table of services/README.md."""
HOP_BY_HOP: Final = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
        "upgrade", "host", "content-length",
    }
)  # fmt: skip
OURS: Final = frozenset({"x-forwarded-for", "x-fitsense-user"})
"""Headers that clients may not set: who stands for whom is said by services alone."""
CONNECT_S: Final = 5
PIECE_BYTES: Final = 65_536

HTTP: Final = web.AppKey("http", ClientSession)
BACKENDS: Final = web.AppKey("backends", dict[str, str])


def service_of(path: str) -> str | None:
    """Return the service that a path belongs to; None where it belongs to none."""
    for service, prefixes in ROUTES.items():
        own = (f"/v1/docs/{service}", f"/v1/openapi/{service}.json")
        if path in own or any(path == one or path.startswith((f"{one}/", f"{one}:")) for one in prefixes):
            return service
    return None


async def forward(request: web.Request) -> web.StreamResponse:
    """Send a request on, and its answer back."""
    service = service_of(request.path)
    if service is None:
        return _refusal(404, "not_found", "there is nothing here")
    headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP | OURS]
    headers.append(("X-Forwarded-For", request.remote or "-"))
    url = request.app[BACKENDS][service] + request.raw_path
    body = request.content.iter_chunked(PIECE_BYTES) if request.can_read_body else None
    if body is not None and request.content_length is not None:
        headers.append(("Content-Length", str(request.content_length)))
    try:
        async with request.app[HTTP].request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP]
            response = web.StreamResponse(status=answer.status, headers=dict(kept))
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response
    except (ClientError, TimeoutError):
        return _refusal(503, "unavailable", f"the {service} service does not answer; try again shortly")


def application(backends: Mapping[str, str]) -> web.Application:
    """Return the gateway to services at these URLs."""

    async def connections(app: web.Application) -> AsyncIterator[None]:
        timeout = ClientTimeout(total=None, sock_connect=CONNECT_S)
        async with ClientSession(
            connector=TCPConnector(limit=0, keepalive_timeout=15),
            timeout=timeout,
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
        ) as http:
            app[HTTP] = http
            yield

    app = web.Application(client_max_size=1 << 24)
    app[BACKENDS] = dict(backends)
    app.cleanup_ctx.append(connections)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


def _refusal(status: int, code: str, message: str) -> web.Response:
    headers = {"Retry-After": "2"} if status == 503 else {}
    return web.json_response(
        {"error": {"code": code, "message": message, "request_id": ""}}, status=status, headers=headers
    )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, required=True)
@click.option("--service", "services", multiple=True, metavar="NAME=URL", help="Where a service is.")
def main(host: str, port: int, services: tuple[str, ...]) -> None:
    """Serve until told to stop."""
    backends = dict(one.split("=", 1) for one in services)
    with suppress(asyncio.CancelledError):
        web.run_app(application(backends), host=host, port=port, print=lambda *_: None, access_log=None)


if __name__ == "__main__":
    main()
