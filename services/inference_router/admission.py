"""Admission: who may ask the model now, who waits, and who is turned away.

    slots     so many requests are with the model at once, no more
    queue     so many wait; whoever finds it full is refused, and told when to come again
    user      nobody holds more than `user_most` places, and nobody fills the queue: a user may hold as many places
              in it as are still free, so that somebody who comes later always finds room (dynamic thresholds)
    order     interactive before background; within both the user who has been given least so far, weighed by what
              each request may cost; whoever was idle starts level with the others, not ahead of them
    deadline  a request that waited until its deadline is refused

No clock, no thread, no event loop: every call is told the time, in seconds of any monotonic clock. Each call is
O(users who wait).
"""

import itertools
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Priority = Literal["interactive", "background"]
PRIORITIES: tuple[Priority, ...] = ("interactive", "background")
Reason = Literal["queue_full", "user_limit", "queue_timeout"]

BACKGROUND_SHARE = 0.5
"""How much of the free places background work may hold, of those that interactive work might."""
SMOOTHING = 0.1
_ids = itertools.count()


@dataclass(frozen=True, slots=True)
class Places:
    """How much there is room for."""

    slots: int
    queue: int
    user_most: int
    first_guess_s: float = 4.0
    """How long an answer is taken to last until some were measured."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A request at the door; `cost` is what it may take, in any unit that is the same for all."""

    user: str
    priority: Priority
    deadline: float
    cost: float = 1.0
    number: int = field(default_factory=lambda: next(_ids))
    came: float = 0.0
    began: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is turned away, and when it is worth coming again."""

    reason: Reason
    retry_after_s: int


@dataclass(slots=True)
class _User:
    """What one user holds, and how much they have been given."""

    given: float
    in_flight: int = 0
    waiting: dict[Priority, deque[Ticket]] = field(default_factory=lambda: {one: deque() for one in PRIORITIES})

    @property
    def queued(self) -> int:
        return sum(map(len, self.waiting.values()))


class Admission:
    """The door of one model server."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.in_flight = 0
        self.queued = 0
        self._users: dict[str, _User] = {}
        self._given = 0.0
        """What the user who was served last had been given: where somebody who was idle starts."""
        self._service_s = places.first_guess_s

    def offer(self, ticket: Ticket, now: float) -> Refusal | None:
        """Take a ticket in, or say why not; `start` tells when it may go."""
        user = self._users.get(ticket.user) or _User(self._given)
        if user.queued + user.in_flight >= self.places.user_most:
            return self.refusal("user_limit")
        free_slot = self.in_flight < self.places.slots and not self.queued
        if not free_slot and not self._has_room(user, ticket.priority):
            return self.refusal("queue_full")
        ticket.came = now
        self._users[ticket.user] = user
        user.waiting[ticket.priority].append(ticket)
        self.queued += 1
        return None

    def start(self, now: float) -> list[Ticket]:
        """Return the tickets that may go now, having given each a slot."""
        started = []
        while self.queued and self.in_flight < self.places.slots:
            ticket = self._next()
            self._forget(ticket)
            ticket.began = now
            user = self._users[ticket.user]
            self._given = max(self._given, user.given)
            user.given = self._given + ticket.cost
            user.in_flight += 1
            self.in_flight += 1
            started.append(ticket)
        return started

    def withdraw(self, ticket: Ticket) -> bool:
        """Take a ticket out of the queue; return False where it does not wait any more."""
        user = self._users.get(ticket.user)
        if ticket.began is not None or user is None or ticket not in user.waiting[ticket.priority]:
            return False
        self._forget(ticket)
        self._tidy()
        return True

    def release(self, ticket: Ticket, now: float, answered: bool) -> None:
        """Give a ticket's slot back; how long answers last is learnt from those that were answered."""
        if answered and ticket.began is not None:
            self._service_s += SMOOTHING * (now - ticket.began - self._service_s)
        self.in_flight -= 1
        self._users[ticket.user].in_flight -= 1
        self._tidy()

    def overdue(self, now: float) -> list[Ticket]:
        """Take out and return the tickets whose deadline has come while they waited."""
        late = [ticket for ticket in self._waiting() if ticket.deadline <= now]
        for ticket in late:
            self.withdraw(ticket)
        return late

    def refusal(self, reason: Reason) -> Refusal:
        """Return a refusal that says when, at the measured rate, today's queue will have been served."""
        rate = self.places.slots / max(self._service_s, 0.001)
        return Refusal(reason, max(1, math.ceil((self.queued + 1) / rate)))

    def depth(self, priority: Priority) -> int:
        """Return how many wait of a kind."""
        return sum(len(user.waiting[priority]) for user in self._users.values())

    def _has_room(self, user: _User, priority: Priority) -> bool:
        free = self.places.queue - self.queued
        share = BACKGROUND_SHARE if priority == "background" else 1.0
        return free > 0 and user.queued < math.ceil(free * share)

    def _next(self) -> Ticket:
        for priority in PRIORITIES:
            heads = [(user.given, user.waiting[priority][0]) for user in self._users.values() if user.waiting[priority]]
            if heads:
                return min(heads, key=lambda head: (head[0], head[1].number))[1]
        raise AssertionError("nobody waits")

    def _forget(self, ticket: Ticket) -> None:
        self._users[ticket.user].waiting[ticket.priority].remove(ticket)
        self.queued -= 1

    def _tidy(self) -> None:
        """Drop the users who hold nothing and would start level with the others anyway."""
        nobody = not (self.in_flight or self.queued)
        self._users = {
            name: user
            for name, user in self._users.items()
            if user.in_flight or user.queued or (user.given > self._given and not nobody)
        }

    def _waiting(self) -> Iterator[Ticket]:
        return (ticket for user in self._users.values() for queue in user.waiting.values() for ticket in queue)
