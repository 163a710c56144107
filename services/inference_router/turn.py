"""Turn: one request from its first byte to its last.

    read ─► resolve ─► count ─► wait for a slot ─► ask ─► pass on ─► one interaction event

    before a slot   what is wrong or too much is refused, with numbers
    before a byte   a server that could not be reached, or hung up, is asked once more
    after a byte    a failure is an error event at the end of the stream
    at any time     a client that leaves, or this process's end, cancels: the slot is free and generation stops

Whatever happens, `run` ends with exactly one event.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import aiohttp

from services.inference_router.admission import Priority, Ticket
from services.inference_router.api_errors import ApiError, unavailable, wrong
from services.inference_router.asked import Asked
from services.inference_router.backends import Backend
from services.inference_router.http import Client, ClientLeftError, Headers
from services.inference_router.interactions import Interaction
from services.inference_router.router import Router
from services.inference_router.routing import Target
from services.inference_router.sse import Passage, error_message, read_completion
from services.inference_router.upstream import LostError

RETRY_PAUSE_S = 0.05
TELL_S = 2.0
CLIENT_LEFT = "the client left"
Read = Callable[[], Awaitable[Asked]]


class Turn:
    """A request on its way; `user` is who it counts for in the queue and the canary."""

    def __init__(
        self, router: Router, client: Client, interaction: Interaction, user: str, priority: Priority = "interactive"
    ) -> None:
        self.interaction = interaction
        self._router = router
        self._client = client
        self._user = user
        self._priority = priority
        self._task: asyncio.Task[object] | None = None
        self._stopped_because = CLIENT_LEFT
        self._streaming = False
        self._client_is_slow = False

    async def run(self, read: Read, admin: bool = False) -> None:
        """Answer; never raises, whatever happens to the request."""
        self._task = asyncio.current_task()
        self._router.turns.add(self)
        try:
            await self._answer(await read(), admin)
        except ApiError as error:
            await self._tell(error)
        except ClientLeftError:
            self.interaction.end("aborted", CLIENT_LEFT)
        except asyncio.CancelledError:
            await self._stopped()
        finally:
            self._router.turns.discard(self)
            self.interaction.end("failed", "broken off")  # says something only where nothing above did
            self._router.keep(self.interaction)

    def stop(self, because: str) -> None:
        """End it now."""
        self._stopped_because = because
        if self._task:
            self._task.cancel()

    async def _answer(self, asked: Asked, admin: bool) -> None:
        noted = self.interaction
        noted.alias, noted.stream = asked.alias, asked.stream
        target = self._router.table.routes.resolve(asked.alias, self._user, admin)
        noted.target, noted.lineage = target, self._router.table.lineage(target.version)
        most_tokens = await self._check_size(asked, target)
        noted.prompt = asked.prompt
        with self._watching():
            backend = self._router.backends.of(target)
            backend.check_open()
            async with self._slot(backend, most_tokens) as ticket:
                await self._ask(backend, target, asked.for_upstream(target.model, most_tokens), asked)
                ticket.answered = True

    async def _check_size(self, asked: Asked, target: Target) -> int:
        """Return how many tokens may be answered; raises ApiError with numbers where it is too much."""
        limits = self._router.settings.limits
        most = asked.most_tokens or limits.output_tokens
        if most > limits.output_tokens:
            raise wrong(
                f"{most:,} tokens are asked for; {limits.output_tokens:,} are allowed",
                "max_tokens",
                "max_tokens_exceeded",
            )
        room = limits.context_tokens - most
        counted = await self._router.table.tokens(target.version, asked.messages, room)
        if counted > room:
            raise wrong(
                f"the prompt has {counted:,} tokens; with {most:,} for the answer, {room:,} are allowed "
                f"in a context of {limits.context_tokens:,}",
                "messages",
                "context_length_exceeded",
            )
        return most

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Stop when the client leaves."""

        async def watch() -> None:
            await self._client.gone()
            self.stop(CLIENT_LEFT)

        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()

    def _slot(self, backend: Backend, most_tokens: int) -> "_Slot":
        limits = self._router.settings.limits
        wait_s = limits.queue_interactive_s if self._priority == "interactive" else limits.queue_background_s
        deadline = asyncio.get_running_loop().time() + wait_s
        cost = most_tokens / limits.output_tokens
        return _Slot(backend, Ticket(self._user, self._priority, deadline, cost), self.interaction)

    async def _ask(self, backend: Backend, target: Target, body: bytes, asked: Asked) -> None:
        """Ask, and once more where nothing came; raises ApiError."""
        try:
            await self._try(backend, target, body, asked)
        except LostError as lost:
            if self._router.backends.failed(target, str(lost)) or self._streaming:
                raise self._lost(lost) from lost
            await asyncio.sleep(RETRY_PAUSE_S)
            try:
                await self._try(backend, target, body, asked)
            except LostError as again:
                self._router.backends.failed(target, str(again))
                raise self._lost(again) from again

    def _lost(self, lost: LostError) -> ApiError:
        what = "broke off its answer" if self._streaming else "cannot be reached"
        return unavailable("model_lost", f"the model server {what}: {lost}", 1, status=502)

    async def _try(self, backend: Backend, target: Target, body: bytes, asked: Asked) -> None:
        limits = self._router.settings.limits
        clock = asyncio.timeout(min(limits.first_token_s if asked.stream else limits.total_s, limits.total_s))
        try:
            async with clock, self._router.upstream.ask(target, backend.key, body, *self._names()) as response:
                if response.status != 200:
                    await self._refused_by_server(response)
                elif asked.stream:
                    await self._stream(response, target, asked, clock)
                else:
                    await self._whole(response, target)
        except TimeoutError as exc:
            raise self._too_slow(target) from exc
        backend.breaker.succeeded()
        self.interaction.end("answered")

    def _names(self) -> tuple[str, str]:
        return self.interaction.request_id, self.interaction.context.get("traceparent", "")

    async def _whole(self, response: aiohttp.ClientResponse, target: Target) -> None:
        body = await response.read()
        noted = self.interaction
        noted.answer = read_completion(body)
        noted.end("answered")
        for old, new in renames(target):
            body = body.replace(old, new)
        await self._client.respond(200, body, self._headers(target))

    async def _stream(
        self, response: aiohttp.ClientResponse, target: Target, asked: Asked, clock: asyncio.Timeout
    ) -> None:
        loop, limits = asyncio.get_running_loop(), self._router.settings.limits
        last = loop.time() + limits.total_s
        passage = Passage(renames(target), asked.wants_usage)
        try:
            async for piece in response.content.iter_any():
                if events := passage.take(piece):
                    await self._pass_on(events, target)
                clock.reschedule(min(loop.time() + limits.between_tokens_s, last))
        finally:
            self.interaction.answer = passage.answer()
        if not passage.done:
            raise LostError("the stream ended before its end")
        if self.interaction.answer.error:
            raise unavailable("model_failed", self.interaction.answer.error, status=502)
        self.interaction.end("answered")
        await self._client.end()

    async def _pass_on(self, events: bytes, target: Target) -> None:
        if not self._streaming:
            self.interaction.first_token = time.monotonic()
            self._streaming = True
            await self._client.begin(self._headers(target))
        self._client_is_slow = True
        await self._client.send(events)
        self._client_is_slow = False

    async def _refused_by_server(self, response: aiohttp.ClientResponse) -> None:
        """Raise what a model server's error means to the client: LostError where asking again may help."""
        message = error_message(await response.read())
        if response.status == 503:
            raise unavailable("model_busy", f"the model server takes no more for now: {message}", 1)
        if response.status >= 500:
            raise LostError(f"the model server answers {response.status}: {message}")
        if response.status in (401, 403, 404, 405):
            # Not the client's doing: our key or our idea of what is loaded there is wrong.
            raise unavailable("model_misconfigured", f"the model server answers {response.status}: {message}", 5)
        raise wrong(message, code="refused_by_model")

    def _too_slow(self, target: Target) -> ApiError:
        """Return the error that a time-out is, and tell the breaker; where it was the client, raise ClientLeftError."""
        if self._client_is_slow:
            self.interaction.end("aborted", "the client did not read in time")
            raise ClientLeftError
        self._router.backends.failed(target, "no token in time")
        what = "the next token" if self._streaming else "an answer"
        return unavailable("model_timeout", f"the model server did not send {what} in time", 5, status=504)

    def _headers(self, target: Target) -> Headers:
        noted = self.interaction
        return (
            (b"x-request-id", noted.request_id.encode()),
            (b"x-fitsense-model-version", target.version.encode()),
            (b"x-fitsense-interaction-id", noted.interaction_id.encode()),
        )

    async def _tell(self, error: ApiError) -> None:
        """Tell the client what went wrong, in the form that is still possible."""
        noted = self.interaction
        refused = noted.admitted is None or error.status < 500
        noted.end("refused" if refused else "failed", f"{error.code}: {error.message}")
        noted.context["code"] = error.code
        with suppress(asyncio.CancelledError, TimeoutError):  # there may be nobody left to tell
            async with asyncio.timeout(TELL_S):
                if self._streaming:
                    await self._client.send(b"data: " + error.body(noted.request_id) + b"\n\n")
                    await self._client.end()
                else:
                    await respond_error(self._client, error, noted.request_id)

    async def _stopped(self) -> None:
        """Note why a turn was cut off; a client that is still there is told."""
        if self._task:
            self._task.uncancel()
        self.interaction.end("aborted", self._stopped_because)
        if self._stopped_because != CLIENT_LEFT:
            await self._tell(unavailable("stopping", self._stopped_because, 1))


class _Slot:
    """A slot at a server, from the moment when it is the ticket's."""

    def __init__(self, backend: Backend, ticket: Ticket, interaction: Interaction) -> None:
        self.answered = False
        self._backend = backend
        self._ticket = ticket
        self._interaction = interaction

    async def __aenter__(self) -> "_Slot":
        await self._backend.turnstile.enter(self._ticket)
        self._interaction.admit()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._backend.turnstile.leave(self._ticket, self.answered)
        self._interaction.cost_usd = self._backend.usd_per_slot_s * self._interaction.served_s()


def renames(target: Target) -> tuple[tuple[bytes, bytes], ...]:
    """Return what to put in place of the server's name for the model, so that an answer says which version it is.

    Inside of a text quotes are escaped, so these bytes are the field and nothing else.
    """
    if target.model == target.version:
        return ()
    old, new = target.model.encode(), target.version.encode()
    return tuple((b'"model":' + gap + b'"' + old + b'"', b'"model":"' + new + b'"') for gap in (b"", b" "))


async def respond_error(client: Client, error: ApiError, request_id: str) -> None:
    """Answer with an error."""
    headers = [(b"x-request-id", request_id.encode())]
    if error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after_s))
    headers += [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await client.respond(error.status, error.body(request_id), headers)
