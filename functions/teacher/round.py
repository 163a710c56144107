"""Round: many asks under way at once, over one line.

All are started together; the line's limits alone decide how many are in flight. Each answer is
cached before its slot is given up, so whatever kills the process loses no more than was in flight.
What ends a round early

    Rejected      the endpoint refused a request (4xx but 429), as it would refuse all
    Unavailable   an ask is out of attempts, and nobody was answered since it began to be retried
    Stopped       the budget is spent

lets what is in flight finish, and be cached, before it is raised. An ask that runs out of attempts
while others are answered, or that gets nothing but garbage, becomes a Reply with an `error`.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from functions.teacher.asks import Ask, Reply
from functions.teacher.budget import Budget
from functions.teacher.cache import Cache, CachedReply
from functions.teacher.completion import (
    NOTHING,
    Completion,
    Failed,
    Garbled,
    Request,
    Retryable,
    Throttled,
    Usage,
    endpoint,
    read_answer,
)
from functions.teacher.line import Line
from functions.teacher.tries import Tries
from shared.errors import Rejected, Unavailable
from shared.records import TeacherCall
from shared.run_config import OpenAICompatibleTeacher


class Round:
    """One use of a line; lives on the line's loop, but for `start`."""

    def __init__(
        self,
        line: Line,
        settings: OpenAICompatibleTeacher,
        api_key: str | None,
        cache: Cache,
        budget: Budget | None,
    ) -> None:
        self._line = line
        self._settings = settings
        self._secret = api_key
        self._cache = cache
        self._budget = budget
        self._url = f"{endpoint(settings)}/chat/completions"
        self._headers = {"Content-Type": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._under_way: list[asyncio.Task[Reply]] = []
        self._in_flight: set[asyncio.Task[Reply] | None] = set()
        self._fatal: BaseException | None = None
        self.answered = 0
        self.cost_usd = 0.0
        self.ended = threading.Event()

    def start(self, asks: Sequence[tuple[Ask, Request]]) -> concurrent.futures.Future[list[Reply]]:
        """Begin, from another thread; `ended` is set when nothing of it is left on the loop."""
        return asyncio.run_coroutine_threadsafe(self._run(asks), self._line.loop)

    async def _run(self, asks: Sequence[tuple[Ask, Request]]) -> list[Reply]:
        try:
            self._under_way = [asyncio.create_task(self._reply(ask, request)) for ask, request in asks]
            for task in self._under_way:
                task.add_done_callback(self._note_end)
            await asyncio.gather(*self._under_way, return_exceptions=True)
            if self._fatal is not None:
                raise self._fatal
            return [task.result() for task in self._under_way]
        finally:
            if self._budget is not None:
                await self._budget.close()
            self.ended.set()

    def _note_end(self, task: asyncio.Task[Reply]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self.answered += 1
        else:
            self._call_off(error)

    def _call_off(self, error: BaseException) -> None:
        """Let what is in flight finish, and nothing else begin; the first error is the one to raise."""
        if self._fatal is None:
            self._fatal = error
            for task in self._under_way:
                if task not in self._in_flight:
                    task.cancel()

    async def _reply(self, ask: Ask, request: Request) -> Reply:
        async with self._line.one_at_a_time(request.key) as another_asked:
            if another_asked:
                hit = await self._line.in_store_thread(partial(self._cache.get, request.key))
                if hit:
                    return remembered(ask, request.key, hit)
            return await self._ask(ask, request)

    async def _ask(self, ask: Ask, request: Request) -> Reply:
        tries = Tries(self._settings.max_attempts)
        try:
            answer = await self._persist(request, tries)
        except Throttled as error:
            raise Unavailable(f"the teacher's endpoint is busy: {error}") from None
        except Failed as error:
            if isinstance(error, Garbled) or self._line.has_answered_since(tries.in_trouble_since_s):
                return _unanswered(ask, tries, error)
            raise Unavailable(f"the teacher's endpoint failed {tries.count} times: {error}") from None
        return _fresh(ask, request.key, answer)

    async def _persist(self, request: Request, tries: Tries) -> CachedReply:
        """Attempt until an answer comes or the tries are over; the slot is free in between."""
        while True:
            try:
                return await self._attempt(request, tries)
            except Retryable:
                if tries.are_over():
                    raise
            await asyncio.sleep(tries.wait_s())

    async def _attempt(self, request: Request, tries: Tries) -> CachedReply:
        """Return an answer once it is cached; raises Retryable, Rejected or Stopped."""
        expected = request.expected.tokens
        async with self._line.limits.slot(first_try=tries.count == 0, tokens=expected):
            if self._budget is not None:
                await self._budget.reserve(request.most.cost_usd(self._settings))
            with self._flight():
                tries.begin()
                completion = await self._paid_for(request, tries)
                answer = _answer(completion, tries, self._settings.model)
                await self._line.in_store_thread(partial(self._cache.put, request.key, answer))
                return answer

    @contextmanager
    def _flight(self) -> Iterator[None]:
        task: asyncio.Task[Reply] | None = asyncio.current_task()
        self._in_flight.add(task)
        try:
            yield
        finally:
            self._in_flight.discard(task)

    async def _paid_for(self, request: Request, tries: Tries) -> Completion:
        """Send a request and account for it. What may or may not have been billed counts in full."""
        spent: Usage | None = None
        try:
            answer = await self._line.post(self._url, self._headers, request.body, self._settings.timeout_s)
            completion = read_answer(answer, request, self._secret)
            spent = completion.usage
            self._line.note_answer()
            return completion
        except Rejected as error:
            spent = NOTHING
            self._call_off(error)
            raise
        except Retryable as error:
            spent = error.usage
            tries.failed(error)
            raise
        finally:
            self._account(request, tries, spent)

    def _account(self, request: Request, tries: Tries, spent: Usage | None) -> None:
        cost_usd = (request.most if spent is None else spent).cost_usd(self._settings)
        tries.cost_usd += cost_usd
        self.cost_usd += cost_usd
        if self._budget is not None:
            self._budget.settle(request.most.cost_usd(self._settings), cost_usd)
        if spent is not None:
            self._line.limits.correct_tokens(spent.tokens - request.expected.tokens)


def remembered(ask: Ask, key: str, hit: CachedReply) -> Reply:
    """Return a reply out of the cache."""
    return Reply(ask.query_id, hit.text, _call(hit, cached=True), key)


def _fresh(ask: Ask, key: str, answer: CachedReply) -> Reply:
    return Reply(ask.query_id, answer.text, _call(answer, cached=False), key)


def _call(answer: CachedReply, *, cached: bool) -> TeacherCall:
    return TeacherCall(
        request_id=answer.request_id,
        latency_ms=answer.latency_ms,
        attempts=answer.attempts,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        cost_usd=answer.cost_usd,
        finish_reason=answer.finish_reason,
        cached=cached,
    )


def _answer(completion: Completion, tries: Tries, model: str) -> CachedReply:
    return CachedReply(
        text=completion.text,
        model=model,
        request_id=completion.request_id,
        finish_reason=completion.finish_reason,
        prompt_tokens=completion.usage.prompt_tokens,
        completion_tokens=completion.usage.completion_tokens,
        cost_usd=tries.cost_usd,
        latency_ms=tries.elapsed_ms(),
        attempts=tries.count,
    )


def _unanswered(ask: Ask, tries: Tries, error: Failed) -> Reply:
    call = TeacherCall(
        latency_ms=tries.elapsed_ms(),
        attempts=tries.count,
        cost_usd=tries.cost_usd,
        finish_reason="error",
    )
    return Reply(ask.query_id, "", call, error=f"no answer in {tries.count} attempts: {error}")
