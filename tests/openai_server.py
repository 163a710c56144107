"""OpenAI server: a small real HTTP endpoint for tests and benches, which misbehaves as it is told.

In a thread         with OpenAIServer(behave) as server: server.base_url, server.seen()
As a process        python -m tests.openai_server --delay-s 0.5 --throttle-every 20 --fail-every 50
                    prints its base URL on one line; GET /seen gives what it saw; ends on SIGTERM

`behave` is asked per call, with the call's number (from 0) and the decoded request.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

Call = dict[str, Any]


@dataclass(frozen=True)
class Behaviour:
    """What happens to one call."""

    status: int = 200
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Instead of a chat completion, or of an error body."""
    content: str | None = "an answer"
    """None is a null; the user message is put after anything else."""
    finish_reason: str = "stop"
    usage: dict[str, int] | None = field(default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 50})
    drop: bool = False
    """Hang up without a word."""
    cut: bool = False
    """Hang up half way through the body."""
    pieces: tuple[str, ...] | None = None
    """Where a stream is asked for: the words of each chunk; without them, the content in one."""
    first_s: float = 0.0
    """Before the first chunk; the status is sent before that."""
    between_s: float = 0.0
    stop_after: int | None = None
    """Say nothing more after so many chunks: hang up if `cut`, else keep the line open, with `pings` or without."""
    pings: bool = False
    lines: tuple[bytes, ...] | None = None
    """Instead of chunks: what to send, as it is."""


@dataclass
class Seen:
    """What a server saw; times are of its own monotonic clock."""

    calls: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    answered: int = 0
    left: int = 0
    """Clients that went away in the middle of a stream."""
    first_received_s: float | None = None
    first_sent_s: float | None = None
    last_sent_s: float | None = None
    received_s: list[float] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    bodies: list[Call] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)


Behave = Callable[[int, Call], Behaviour]
START_S = 120
HANG = Behaviour(delay_s=3600)


def well(_number: int, _request: Call) -> Behaviour:
    """Answer at once."""
    return Behaviour()


class Endpoint:
    """The request handlers, and what they saw."""

    def __init__(self, behave: Behave, keep_bodies: bool = True) -> None:
        self.behave = behave
        self.keep_bodies = keep_bodies
        self.seen = Seen()
        self._open: dict[int, web.Request] = {}

    def hang_up(self) -> None:
        for request in list(self._open.values()):
            if request.transport:
                request.transport.abort()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/chat/completions", self.complete)
        app.router.add_get("/seen", self.tell)
        return app

    async def complete(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        behaviour = self.behave(self.seen.calls, call)
        self._note(request, call)
        self._open[id(request)] = request
        try:
            return await self._respond(request, call, behaviour)
        finally:
            del self._open[id(request)]
            self.seen.in_flight -= 1

    def _note(self, request: web.Request, call: Call) -> None:
        now = time.monotonic()
        seen = self.seen
        seen.calls += 1
        seen.in_flight += 1
        seen.max_in_flight = max(seen.max_in_flight, seen.in_flight)
        seen.first_received_s = seen.first_received_s or now
        if self.keep_bodies:
            seen.received_s.append(now)
            seen.bodies.append(call)
            seen.authorizations.append(request.headers.get("Authorization"))
            seen.prompts.append(call["messages"][-1]["content"])

    async def _respond(self, request: web.Request, call: Call, behaviour: Behaviour) -> web.StreamResponse:
        if behaviour.delay_s:
            await asyncio.sleep(behaviour.delay_s)
        if behaviour.drop:
            assert request.transport
            request.transport.close()
            return web.Response()
        if call.get("stream") and behaviour.status == 200 and behaviour.body is None:
            return await self._stream(request, call, behaviour)
        body = _body(call, behaviour, self.seen.calls)
        if behaviour.cut:
            return await _cut(request, body)
        response = web.Response(
            status=behaviour.status, body=body, headers=behaviour.headers, content_type="application/json"
        )
        await response.prepare(request)
        await response.write_eof()
        self.seen.answered += behaviour.status == 200
        self.seen.last_sent_s = time.monotonic()
        self.seen.first_sent_s = self.seen.first_sent_s or self.seen.last_sent_s
        return response

    async def _stream(self, request: web.Request, call: Call, behaviour: Behaviour) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"} | behaviour.headers)
        try:
            await response.prepare(request)
            await asyncio.sleep(behaviour.first_s)
            for number, line in enumerate(_lines(call, behaviour)):
                if number == behaviour.stop_after:
                    await _fall_silent(request, response, behaviour)
                await response.write(line)
                await asyncio.sleep(behaviour.between_s)
            await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            self.seen.left += 1
            raise
        self.seen.answered += 1
        return response

    async def tell(self, _: web.Request) -> web.Response:
        return web.json_response(asdict(self.seen))


async def _cut(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    assert request.transport
    request.transport.close()
    return response


async def _fall_silent(request: web.Request, response: web.StreamResponse, behaviour: Behaviour) -> None:
    if behaviour.cut:
        assert request.transport
        request.transport.abort()
        raise ConnectionResetError
    while behaviour.pings:
        await response.write(b": ping\n\n")
        await asyncio.sleep(0.05)
    await asyncio.sleep(3600)


def _lines(call: Call, behaviour: Behaviour) -> Iterator[bytes]:
    """Yield the lines of a stream: the words, why they end, what they cost, and the end."""
    if behaviour.lines is not None:
        yield from behaviour.lines
        return
    pieces = behaviour.pieces if behaviour.pieces is not None else (behaviour.content or "",)
    for piece in pieces:
        yield _chunk(call, [{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
    yield _chunk(call, [{"index": 0, "delta": {}, "finish_reason": behaviour.finish_reason}])
    if call.get("stream_options", {}).get("include_usage"):
        yield _chunk(call, [], usage=behaviour.usage)
    yield b"data: [DONE]\n\n"


def _chunk(call: Call, choices: list[Call], **more: Any) -> bytes:
    chunk = {"id": "call", "object": "chat.completion.chunk", "model": call.get("model"), "choices": choices} | more
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _body(call: Call, behaviour: Behaviour, number: int) -> bytes:
    if behaviour.body is not None:
        return behaviour.body
    if behaviour.status != 200:
        return json.dumps({"error": {"message": f"told to answer {behaviour.status}"}}).encode()
    asked = call["messages"][-1]["content"]
    content = behaviour.content and f"{behaviour.content} to: {asked}"
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": behaviour.finish_reason}
    answer = {"id": f"call-{number}", "choices": [choice], "usage": behaviour.usage}
    return json.dumps(answer).encode()


class OpenAIServer:
    """The endpoint on a free port of the loopback, in a thread."""

    def __init__(self, behave: Behave = well) -> None:
        self._endpoint = Endpoint(behave)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openai-server", daemon=True)
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    @property
    def seen(self) -> Seen:
        return self._endpoint.seen

    def __enter__(self) -> "OpenAIServer":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(START_S)
        return self

    async def _start(self) -> None:
        self._runner, self.base_url = await _listen(self._endpoint, 0)

    def hang_up(self) -> None:
        """Drop every connection that is open, in the middle of whatever it says."""
        self._loop.call_soon_threadsafe(self._endpoint.hang_up)

    def __exit__(self, *_: object) -> None:
        assert self._runner
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(START_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)
        self._loop.close()


async def _listen(endpoint: Endpoint, port: int) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(endpoint.app(), shutdown_timeout=0.05, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/v1"


def every(throttle_every: int, fail_every: int, delay_s: float) -> Behave:
    """Return a behaviour that answers every so many-th call with 429 (at once), or with 500."""

    def behave(number: int, _: Call) -> Behaviour:
        if throttle_every and number % throttle_every == throttle_every // 2:
            return Behaviour(status=429, headers={"Retry-After": "1"})
        if fail_every and number % fail_every == fail_every // 3:
            return Behaviour(status=500, delay_s=delay_s)
        return Behaviour(delay_s=delay_s)

    return behave


async def _serve(arguments: argparse.Namespace) -> None:
    behave = every(arguments.throttle_every, arguments.fail_every, arguments.delay_s)
    _, base_url = await _listen(Endpoint(behave, keep_bodies=False), arguments.port)
    print(base_url, flush=True)
    await asyncio.Event().wait()


@contextmanager
def openai_process(*arguments: str) -> Iterator[str]:
    """Run the server as a process of its own; yields its base URL."""
    command = [sys.executable, "-m", "tests.openai_server", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument("--throttle-every", type=int, default=0)
    parser.add_argument("--fail-every", type=int, default=0)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
