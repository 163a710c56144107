"""Limits: how many requests may be in flight, and how fast requests and tokens may follow each other.

    Slots    a cap on what is in flight; a retry goes before a first try, so that a prompt in trouble
             is settled early and does not make a tail
    Pacer    so many units a minute, evenly spread (the generic cell rate algorithm without a burst):
             no rolling minute ever holds more than the limit, except by part of one request
    Limits   both together, for one endpoint and one process

All of it lives on one event loop.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

HEADROOM = 1.01
"""Clocks differ, and the way to the endpoint is not always equally long."""
LATENESS_S = 0.02
"""A sleep that ends this much too late may be made up for; else the limit could not be reached."""


class Slots:
    """A semaphore with two queues."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._queue: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._arrivals = itertools.count()

    async def take(self, *, first_try: bool) -> None:
        """Wait for a slot."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (first_try, next(self._arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """Hand a slot to whoever is next."""
        while self._queue:
            turn = heapq.heappop(self._queue)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Pacer:
    """A rate that is kept by waiting. First come, first served."""

    def __init__(self, per_minute: float) -> None:
        self._seconds_each = 60 * HEADROOM / per_minute
        self._free_at = 0.0
        self._turn = asyncio.Lock()

    async def wait(self, units: float = 1) -> None:
        """Return when `units` more may go."""
        async with self._turn:
            while (delay_s := self._free_at - time.monotonic()) > 0:
                await asyncio.sleep(delay_s)
            begin = max(self._free_at, time.monotonic() - LATENESS_S)
            self._free_at = begin + units * self._seconds_each

    def correct(self, units: float) -> None:
        """Take back, or where negative give back, units that an estimate got wrong."""
        self._free_at += units * self._seconds_each


class Limits:
    """What one process may do to one endpoint: its part of what the run may do."""

    def __init__(
        self,
        concurrency: int,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        share: int = 1,
    ) -> None:
        self._slots = Slots(max(1, concurrency // share))
        self._requests = Pacer(requests_per_minute / share) if requests_per_minute else None
        self._tokens = Pacer(tokens_per_minute / share) if tokens_per_minute else None

    @asynccontextmanager
    async def slot(self, *, first_try: bool, tokens: int) -> AsyncIterator[None]:
        """Hold a slot, from the moment when the limits let a request of about `tokens` go."""
        await self._slots.take(first_try=first_try)
        try:
            if self._requests:
                await self._requests.wait()
            if self._tokens:
                await self._tokens.wait(tokens)
            yield
        finally:
            self._slots.give()

    def correct_tokens(self, by: int) -> None:
        """Account for tokens beyond the estimate, or for those that were not needed."""
        if self._tokens:
            self._tokens.correct(by)
