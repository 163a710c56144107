"""Line: what all shards in a process share when they talk to one endpoint.

One event loop in a background thread, one pool of connections, one set of limits: so concurrency
and rates hold for all shard threads together, and a shard that ends leaves no idle gap. Lines
open at first use, stay open (connections are worth keeping), and close when the process ends. A
forked child opens its own. aiohttp is imported here only when a request is made.
"""

import asyncio
import atexit
import gc
import hashlib
import importlib
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from functions.teacher.completion import NOTHING, Failed, HttpAnswer, endpoint
from functions.teacher.limits import Limits
from shared.errors import Rejected
from shared.run_config import OpenAICompatibleTeacher

if TYPE_CHECKING:
    from aiohttp import ClientSession

T = TypeVar("T")

LONGEST_ANSWER_BYTES = 4 << 20
STORE_THREADS = 8
CLOSING_S = 5


class Line:
    """A connection to an endpoint; coroutine methods belong on its `loop`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.loop = asyncio.new_event_loop()
        self.store_threads = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="teacher-store")
        self._answered_at_s = 0.0
        self._being_asked: dict[str, asyncio.Event] = {}
        self._session: ClientSession | None = None
        _spare_what_is_loaded()
        self._thread = threading.Thread(target=self.loop.run_forever, name="teacher-line", daemon=True)
        self._thread.start()

    def note_answer(self) -> None:
        """Remember that the endpoint works."""
        self._answered_at_s = time.monotonic()

    def has_answered_since(self, moment_s: float) -> bool:
        """Return whether anybody got a good answer after a moment (monotonic)."""
        return self._answered_at_s >= moment_s

    async def in_store_thread(self, call: Callable[[], T]) -> T:
        """Return what a call that touches the store returns, without holding up the loop."""
        return await self.loop.run_in_executor(self.store_threads, call)

    @asynccontextmanager
    async def one_at_a_time(self, key: str) -> AsyncIterator[bool]:
        """Keep identical requests apart; yields whether there was one to wait for."""
        waited = False
        while other := self._being_asked.get(key):
            waited = True
            await other.wait()
        done = self._being_asked[key] = asyncio.Event()
        try:
            yield waited
        finally:
            del self._being_asked[key]
            done.set()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> HttpAnswer:
        """Return the endpoint's answer, whatever its status; raises Failed, or Rejected for a wrong URL."""
        import aiohttp

        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(url, headers, body)
        except TimeoutError:
            raise Failed(f"no answer within {timeout_s:g} s", usage=None) from None
        except aiohttp.InvalidURL:
            raise Rejected("the teacher's endpoint is not a URL; look at teacher.base_url") from None
        except aiohttp.ClientConnectorError as error:
            raise Failed(f"cannot connect: {error}", usage=NOTHING) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Failed(f"the connection broke off: {type(error).__name__}", usage=None) from None

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        session = self._connections()
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            content = bytearray()
            async for piece in response.content.iter_any():
                content += piece
                if len(content) > LONGEST_ANSWER_BYTES:
                    raise Failed(f"an answer of more than {LONGEST_ANSWER_BYTES} bytes", usage=None)
            return HttpAnswer(response.status, response.headers, bytes(content))

    def _connections(self) -> "ClientSession":
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def close(self) -> None:
        """Hang up; nobody may be asking any more."""
        asyncio.run_coroutine_threadsafe(self._disconnect(), self.loop).result(CLOSING_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(CLOSING_S)
        self.loop.close()
        self.store_threads.shutdown()

    async def _disconnect(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self.loop.shutdown_default_executor()


@cache
def _spare_what_is_loaded() -> None:
    """Keep the garbage collector off what stays anyway: a full collection stops all sending for 50 ms."""
    importlib.import_module("aiohttp")
    gc.collect()
    gc.freeze()


_lines: dict[tuple[int, str], Line] = {}
_opening = threading.Lock()


def line_to(settings: OpenAICompatibleTeacher, api_key: str | None, share: int) -> Line:
    """Return this process's line to an endpoint, model and key, opened at the first call."""
    limits = (settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute, share)
    name = repr((endpoint(settings), settings.model, api_key, limits))
    line = (os.getpid(), hashlib.sha256(name.encode(errors="replace")).hexdigest())
    with _opening:
        if line not in _lines:
            _lines[line] = Line(Limits(*limits))
        return _lines[line]


def hang_up() -> None:
    """Close every line of this process."""
    for line in [line for line in _lines if line[0] == os.getpid()]:
        _lines.pop(line).close()


def _renew_lock() -> None:
    global _opening
    _opening = threading.Lock()


atexit.register(hang_up)
os.register_at_fork(after_in_child=_renew_lock)
