"""Model server: what vLLM's API looks like from outside, in a thread, and misbehaving as it is told.

    with ModelServer() as server: server.url, server.seen

`seen` counts what reached it. A call's behaviour is asked of `server.behave`, which may be replaced at any time.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Call = dict[str, Any]
START_S = 120


@dataclass(frozen=True)
class Does:
    """What happens to one call."""

    tokens: int = 5
    held: bool = False
    """Say nothing until the server is told to go on."""
    each_s: float = 0.0
    status: int = 200
    message: str = "told to fail"
    hang_after: int | None = None
    """Say nothing more after so many tokens."""
    die_after: int | None = None
    """Hang up after so many tokens; 0 is before the first byte."""
    word: str = "word "


@dataclass
class Seen:
    """What reached the server."""

    calls: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    answered: int = 0
    aborted: int = 0
    written: int = 0
    bodies: list[Call] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


Behave = Callable[[int, Call], Does]


def well(_number: int, _call: Call) -> Does:
    """Answer at once."""
    return Does()


class ModelServer:
    """The server on a free port, or on a given one."""

    def __init__(self, behave: Behave = well, port: int = 0) -> None:
        self.behave = behave
        self.seen = Seen()
        self.port = port
        self._go_on = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model-server", daemon=True)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "ModelServer":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(START_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)
        self._loop.close()

    def kill(self) -> None:
        """Go away, whatever is under way."""
        if self._runner:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(START_S)
            self._runner = None

    def go_on(self) -> None:
        """Let all that is held, and all that comes, be answered."""
        self._loop.call_soon_threadsafe(self._go_on.set)

    def restart(self) -> None:
        """Come back on the same port."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(START_S)

    async def _start(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        seen = self.seen
        does = self.behave(seen.calls, call)
        seen.calls += 1
        seen.in_flight += 1
        seen.most_in_flight = max(seen.most_in_flight, seen.in_flight)
        seen.bodies.append(call)
        seen.headers.append(dict(request.headers))
        try:
            answer = await self._answer(request, call, does)
            seen.answered += 1
            return answer
        except (asyncio.CancelledError, ConnectionResetError):
            seen.aborted += 1
            raise
        finally:
            seen.in_flight -= 1

    async def _answer(self, request: web.Request, call: Call, does: Does) -> web.StreamResponse:
        if does.held:
            await self._go_on.wait()
        if does.status != 200:
            return web.json_response({"error": {"message": does.message}}, status=does.status)
        if does.die_after == 0:
            return _hang_up(request)
        most = min(does.tokens, call.get("max_tokens") or does.tokens)
        if call.get("stream"):
            return await self._stream(request, call, does, most)
        await self._write(does, most)
        return web.json_response(completion(call["model"], does.word * most, most))

    async def _write(self, does: Does, most: int) -> None:
        for number in range(most):
            await self._token(does, number)

    async def _token(self, does: Does, number: int) -> None:
        if does.hang_after == number:
            await asyncio.sleep(3600)
        await asyncio.sleep(does.each_s)
        self.seen.written += 1

    async def _stream(self, request: web.Request, call: Call, does: Does, most: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for number in range(most):
            if does.die_after == number:
                return _hang_up(request)
            await self._token(does, number)
            await response.write(event(chunk(call["model"], does.word, None)))
        await response.write(event(chunk(call["model"], "", "stop")))
        if (call.get("stream_options") or {}).get("include_usage"):
            last = chunk(call["model"], "", None) | {"choices": [], "usage": usage(most)}
            await response.write(event(last))
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response


def _hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    raise ConnectionResetError


def event(payload: Call) -> bytes:
    """Return an event of a stream."""
    return b"data: " + json.dumps(payload, separators=(",", ":")).encode() + b"\n\n"


def chunk(model: str, text: str, finish: str | None) -> Call:
    """Return a piece of an answer."""
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


def completion(model: str, text: str, tokens: int) -> Call:
    """Return an answer in one piece."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    return whole | {"usage": usage(tokens)}


def usage(tokens: int) -> dict[str, int]:
    """Return the count of a call."""
    return {"prompt_tokens": 11, "completion_tokens": tokens, "total_tokens": 11 + tokens}


def until(true: Callable[[], bool], within_s: float = 120.0) -> None:
    """Return once something is so; fail where it does not become so."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
