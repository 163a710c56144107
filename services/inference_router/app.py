"""App: the router as an ASGI application.

What is shared is made when the server starts, inside its event loop, and unmade after its last request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from opentelemetry.trace import Tracer

from services.inference_router import pushes, routes
from services.inference_router.api_errors import ApiError
from services.inference_router.backends import Backends
from services.inference_router.callers import Callers
from services.inference_router.http import ClientLeftError, Http, Receive, Scope, Send
from services.inference_router.metrics import Metrics
from services.inference_router.outbox import Outbox
from services.inference_router.router import Router
from services.inference_router.routing import Target
from services.inference_router.settings import RouterSettings
from services.inference_router.table import Cards, Pointer, Table
from services.inference_router.tracing import Tracing
from services.inference_router.turn import respond_error
from services.inference_router.upstream import Upstream
from shared.bus import Bus
from shared.documents import Documents

FLUSH_S = 2.0
"""How long the outbox may go on publishing after the last request."""
Endpoint = Callable[[Router, Http], Awaitable[None]]

ENDPOINTS: Final[dict[tuple[str, str], Endpoint]] = {
    ("POST", "/v1/chat/completions"): routes.chat,
    ("GET", "/v1/models"): routes.models,
    ("PUT", "/v1/shadow"): routes.set_shadow,
    ("POST", "/events/model-served"): pushes.model_served,
    ("GET", "/healthz"): routes.healthy,
    ("GET", "/readyz"): routes.ready,
    ("GET", "/metrics"): routes.metrics,
    ("GET", "/v1/openapi/inference-router.json"): routes.describe,
}
PATHS: Final = {path for _, path in ENDPOINTS}


@dataclass(frozen=True, slots=True)
class Deps:
    """What the router needs from outside."""

    settings: RouterSettings
    documents: Documents
    bus: Bus
    cards: Cards
    pointer: Pointer
    callers: tuple[Callers, ...]
    pushers: tuple[Callers, ...]
    """Who may push events."""
    tracer: Tracer | None = None


class App:
    """The application."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self.router: Router | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the server's beginning and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and self.router:
            await serve(self.router, Http(scope, receive, send))

    def stop_soon(self) -> None:
        """Tell those who look that this process ends, and end what is still on its way when the time is up."""
        if self.router:
            self.router.draining = True
            loop = asyncio.get_running_loop()
            loop.call_later(self._deps.settings.drain_s, self.router.stop_all, "the server is shutting down")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.router = router = await self._start()
        fresh = asyncio.create_task(router.table.keep_fresh(self._deps.settings.refresh_s))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        fresh.cancel()
        for task in list(router.tasks):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(fresh, *router.tasks, return_exceptions=True)
        await router.backends.close()
        await router.upstream.close()
        await asyncio.to_thread(router.outbox.close, FLUSH_S)
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> Router:
        deps, settings = self._deps, self._deps.settings
        upstream = Upstream()
        teacher = (
            Target(settings.teacher_model, settings.teacher_url, settings.teacher_model)
            if settings.teacher_url
            else None
        )
        router = Router(
            settings=settings,
            callers=deps.callers,
            pushers=deps.pushers,
            table=Table(deps.documents, settings.environment, deps.cards, deps.pointer, teacher),
            upstream=upstream,
            backends=Backends(settings, upstream),
            outbox=Outbox(settings.outbox, deps.bus),
            metrics=Metrics(),
            tracing=Tracing(deps.tracer),
        )
        router.outbox.start()
        await router.table.refresh()
        return router


async def serve(router: Router, http: Http) -> None:
    """Answer one request."""
    try:
        await _endpoint(http)(router, http)
    except ApiError as error:
        await respond_error(http, error, routes.request_id(http))
    except ClientLeftError:
        pass  # nobody is there any more


def _endpoint(http: Http) -> Endpoint:
    path = "/v1/models" if http.path.startswith("/v1/models/") else http.path
    if found := ENDPOINTS.get((http.method, path)):
        return found
    if path in PATHS:
        raise ApiError(405, "method_not_allowed", f"{http.method} is not allowed here")
    raise ApiError(404, "not_found", f"there is nothing at {http.path[:100]!r}")
