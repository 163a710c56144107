"""Backends: the model servers, each with its own door and breaker.

When a breaker opens, those who wait are told at once, and the router itself asks the server for one token now and
then, until it answers: no user is the probe.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from services.inference_router.api_errors import ApiError, unavailable
from services.inference_router.breaker import Breaker
from services.inference_router.routing import Target
from services.inference_router.settings import RouterSettings
from services.inference_router.turnstile import Turnstile
from services.inference_router.upstream import LostError, Upstream

PROBE_S = 10.0
PROBE = {"messages": [{"role": "user", "content": "Are you there?"}], "max_tokens": 1}

log = logging.getLogger("fitsense.router")


@dataclass(slots=True)
class Backend:
    """One model server."""

    url: str
    key: str
    turnstile: Turnstile
    breaker: Breaker
    usd_per_slot_s: float
    probing: asyncio.Task[None] | None = None

    def check_open(self) -> None:
        """Raise ApiError where the server is not to be asked now."""
        if self.breaker.state(asyncio.get_running_loop().time()) != "closed":
            raise self.down()

    def down(self) -> ApiError:
        """Return the answer to whoever asks while it is down."""
        wait_s = self.breaker.retry_after_s(asyncio.get_running_loop().time())
        return unavailable("model_down", "the model server is down; it is asked again soon", wait_s)


class Backends:
    """The servers that are asked, by URL; made when they are first needed."""

    def __init__(self, settings: RouterSettings, upstream: Upstream) -> None:
        self._settings = settings
        self._upstream = upstream
        self._backends: dict[str, Backend] = {}

    def of(self, target: Target) -> Backend:
        """Return the server of a model."""
        return self._backends.get(target.backend) or self._new(target.backend)

    def __iter__(self) -> Iterator[Backend]:
        return iter(list(self._backends.values()))

    def failed(self, target: Target, why: str) -> bool:
        """Note that a server failed; return whether it is not to be asked any more, for now."""
        backend = self.of(target)
        opened = backend.breaker.failed(asyncio.get_running_loop().time())
        if opened and not (backend.probing and not backend.probing.done()):
            log.warning("a model server is down", extra={"backend": backend.url, "error": why})
            backend.turnstile.turn_away(backend.down)
            backend.probing = asyncio.create_task(self._probe(target, backend))
        return opened

    async def close(self) -> None:
        """Stop probing."""
        for backend in self:
            if backend.probing:
                backend.probing.cancel()

    def _new(self, url: str) -> Backend:
        settings = self._settings
        teacher = url == settings.teacher_url
        secret = settings.teacher_key if teacher else settings.backend_key
        cost = 0.0 if teacher else settings.usd_per_hour / 3600 / settings.slots
        backend = Backend(url, secret.get_secret_value(), Turnstile(settings.places), Breaker(settings.patience), cost)
        self._backends[url] = backend
        return backend

    async def _probe(self, target: Target, backend: Backend) -> None:
        """Ask for one token whenever the pause is over, until the server answers."""
        loop = asyncio.get_running_loop()
        while backend.breaker.state(loop.time()) != "closed":
            await asyncio.sleep(backend.breaker.retry_after_s(loop.time()))
            if backend.breaker.admits(loop.time()):
                await self._try(target, backend)
        log.info("a model server is back", extra={"backend": backend.url})

    async def _try(self, target: Target, backend: Backend) -> None:
        body = orjson.dumps(PROBE | {"model": target.model})
        try:
            async with asyncio.timeout(PROBE_S), self._upstream.ask(target, backend.key, body, "probe") as response:
                await response.read()
                well = response.status < 500
        except (LostError, TimeoutError):
            well = False
        if well:
            backend.breaker.succeeded()
        else:
            backend.breaker.failed(asyncio.get_running_loop().time())
