"""Running router: the router in a thread of the test, on a port of its own, with real adapters below a directory."""

import asyncio
import concurrent.futures
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.trace import Tracer

from services.inference_router.aliases import Aliases, Served, Share, path
from services.inference_router.app import App, Deps
from services.inference_router.callers import ApiKeys, Caller
from services.inference_router.interactions import Lineage
from services.inference_router.server import serve
from services.inference_router.settings import RouterSettings
from services.inference_router.table import Card
from shared.documents import SqliteDocuments
from shared.errors import NotFound, Unavailable
from shared.event import Event
from shared.events import AiInteraction

KEY = "sk-test"
ADMIN_KEY = "sk-admin"
SERVICE = "the plan service"
VERSION = "20261125T120000Z-0123abcd-00000001"
CANARY = "20261125T120000Z-0123abcd-00000002"


class KeptBus:
    """A bus that keeps what is published, and can be down."""

    def __init__(self) -> None:
        self.events: list[AiInteraction] = []
        self.down = False

    def publish(self, event: Event) -> None:
        if self.down:
            raise Unavailable("told to be down")
        assert isinstance(event, AiInteraction)
        self.events.append(event)

    def flush(self) -> None:
        if self.down:
            raise Unavailable("told to be down")


class Known:
    """One token, and whose it is."""

    def __init__(self, token: str, caller: Caller) -> None:
        self._token = token
        self._caller = caller

    async def identify(self, token: str) -> Caller | None:
        return self._caller if token == self._token else None


@dataclass
class CountingWords:
    """A tokenizer for which every word is a token."""

    def bound(self, messages: Any) -> int:
        return sum(len(one["content"]) for one in messages)

    def count(self, messages: Any) -> int:
        return sum(len(one["content"].split()) for one in messages)


class FixedCards:
    """Every version is of the same make."""

    def card(self, version: str) -> Card:
        if version not in (VERSION, CANARY):
            raise NotFound(version)
        return Card(Lineage("base", "ab" * 32), CountingWords())


@dataclass
class RunningRouter:
    """A router, and what tests do to it."""

    port: int
    bus: KeptBus
    documents: SqliteDocuments
    app: App
    call_in_loop: Callable[[Callable[[], Any]], Any]
    promoted: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout_s: float = 60) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key: str = KEY,
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers in lower case, and body."""
        connection = self.connect()
        try:
            connection.request(method, target, body, {"Authorization": f"Bearer {key}", **(headers or {})})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def chat(
        self, headers: Mapping[str, str] | None = None, key: str = KEY, text: str = "hello", **fields: Any
    ) -> tuple[int, dict[str, str], bytes]:
        return self.send("POST", "/v1/chat/completions", question(text, **fields), headers, key)

    def refresh(self) -> None:
        router = self.app.router
        assert router
        self.call_in_loop(router.table.refresh)


def question(text: str = "hello", **fields: Any) -> bytes:
    """Return a request's body."""
    return json.dumps({"model": "student", "messages": [{"role": "user", "content": text}], **fields}).encode()


def lead(documents: SqliteDocuments, backend: str, canary: float = 0, shadow: float = 0) -> None:
    """Have the aliases lead to a backend."""
    student = Served(version=VERSION, backend=backend, model="adapter-1")
    other = Served(version=CANARY, backend=backend, model=CANARY)
    aliases = Aliases(
        student=student,
        canary=Share(served=other, percent=canary) if canary else None,
        shadow=Share(served=other, percent=shadow) if shadow else None,
        versions=(student, other),
    )
    documents.create(path("dev"), aliases.model_dump(mode="json"))


@contextmanager
def running_router(
    folder: Path,
    backend: str | None,
    *,
    canary: float = 0,
    shadow: float = 0,
    tracer: Tracer | None = None,
    **settings: Any,
) -> Iterator[RunningRouter]:
    """Run a router whose student is at a backend."""
    documents = SqliteDocuments(folder / "documents.sqlite")
    if backend:
        lead(documents, backend, canary, shadow)
    bus, promoted = KeptBus(), dict[str, tuple[str, int]]()
    known = {"breaker_pause_s": 0.2, "outbox": folder / "outbox", "refresh_s": 3600.0, "drain_s": 1.0} | settings
    deps = Deps(
        settings=RouterSettings(api_keys={"test": KEY, "admin": ADMIN_KEY}, **known),
        documents=documents,
        bus=bus,
        cards=FixedCards(),
        pointer=lambda environment: promoted.get(environment),
        callers=(ApiKeys({"test": KEY, "admin": ADMIN_KEY}), Known(SERVICE, Caller("plan", speaks_for_users=True))),
        pushers=(Known("push", Caller("bus")),),
        tracer=tracer,
    )
    app = App(deps)
    ready: concurrent.futures.Future[tuple[asyncio.AbstractEventLoop, Callable[[], None]]] = concurrent.futures.Future()
    port = free_port()
    thread = threading.Thread(target=_serve, args=(app, port, ready), name="router", daemon=True)
    thread.start()
    loop, stop = ready.result(120)

    def call_in_loop(coroutine: Callable[[], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine(), loop).result(120)

    router = RunningRouter(port, bus, documents, app, call_in_loop, promoted)
    try:
        _wait_for(router)
        yield router
    finally:
        loop.call_soon_threadsafe(stop)
        thread.join(120)
        assert not thread.is_alive(), "the router did not stop"


def _serve(app: App, port: int, ready: "concurrent.futures.Future[Any]") -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        await serve(app, "127.0.0.1", port, lambda stop: ready.set_result((loop, stop)))

    asyncio.run(main())


def _wait_for(router: RunningRouter) -> None:
    from tests.model_server import until

    def answers() -> bool:
        try:
            return router.send("GET", "/healthz")[0] == 200
        except OSError:
            return False

    until(answers)


def free_port() -> int:
    """Return a port of the loopback that is free now."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
