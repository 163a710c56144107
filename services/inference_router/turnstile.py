"""Turnstile: the admission of one model server, for coroutines that wait for their turn.

`enter` returns once a slot is the ticket's, and raises ApiError where it is refused, waited too long, or the server
went down meanwhile. Whoever is cancelled while waiting gives everything back. All of it lives on one event loop.
"""

import asyncio
from collections.abc import Callable

from services.inference_router.admission import Admission, Places, Priority, Reason, Refusal, Ticket
from services.inference_router.api_errors import ApiError

MESSAGES: dict[Reason, str] = {
    "queue_full": "the queue is full; come again in {} s",
    "user_limit": "this user has as many requests here as one may have; come again in {} s",
    "queue_timeout": "no turn came in time; come again in {} s",
}


class Turnstile:
    """Lets tickets through as slots become free."""

    def __init__(self, places: Places) -> None:
        self._admission = Admission(places)
        self._turns: dict[int, asyncio.Future[None]] = {}

    @property
    def in_flight(self) -> int:
        """How many are with the server."""
        return self._admission.in_flight

    @property
    def idle(self) -> bool:
        """Whether nobody waits and somebody more could go."""
        return not self._admission.queued and self.in_flight < self._admission.places.slots

    def depth(self, priority: Priority) -> int:
        """Return how many wait."""
        return self._admission.depth(priority)

    async def enter(self, ticket: Ticket) -> None:
        """Wait for a slot; `leave` gives it back."""
        loop = asyncio.get_running_loop()
        if refusal := self._admission.offer(ticket, loop.time()):
            raise refused(refusal)
        self._go()
        if ticket.began is None:
            alarm = loop.call_at(ticket.deadline, self._expire)
            try:
                await self._turn(ticket, loop)
            finally:
                alarm.cancel()

    def leave(self, ticket: Ticket, answered: bool) -> None:
        """Give a slot back, and let the next one through."""
        self._admission.release(ticket, asyncio.get_running_loop().time(), answered)
        self._go()

    def turn_away(self, error: Callable[[], ApiError]) -> None:
        """Refuse all who wait: nobody will be served here for now."""
        for turn in list(self._turns.values()):
            if not turn.done():
                turn.set_exception(error())

    async def _turn(self, ticket: Ticket, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._turns[ticket.number] = loop.create_future()
        try:
            await turn
        except (ApiError, asyncio.CancelledError):
            if ticket.began is None:
                self._admission.withdraw(ticket)
            else:  # its turn came in the same moment
                self.leave(ticket, answered=False)
            raise
        finally:
            del self._turns[ticket.number]

    def _go(self) -> None:
        for ticket in self._admission.start(asyncio.get_running_loop().time()):
            turn = self._turns.get(ticket.number)
            if turn and not turn.done():
                turn.set_result(None)

    def _expire(self) -> None:
        for ticket in self._admission.overdue(asyncio.get_running_loop().time()):
            turn = self._turns.get(ticket.number)
            if turn and not turn.done():
                turn.set_exception(refused(self._admission.refusal("queue_timeout")))


def refused(refusal: Refusal) -> ApiError:
    """Return the answer to whoever is refused."""
    message = MESSAGES[refusal.reason].format(refusal.retry_after_s)
    return ApiError(429, refusal.reason, message, retry_after_s=refusal.retry_after_s)
