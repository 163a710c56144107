"""Table: where names lead, and what is known of each version, as of a few seconds ago.

Requests read what is in memory; documents and files are read in a thread, when the table is refreshed. While they
cannot be read, what was read last holds.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.inference_router import aliases
from services.inference_router.api_errors import wrong
from services.inference_router.counting import Counter
from services.inference_router.interactions import UNKNOWN, Lineage
from services.inference_router.routing import Routes, Target
from shared.documents import Documents
from shared.errors import FitsenseError, Rejected
from shared.events import Environment, ModelServed

INLINE_BYTES = 20_000
"""Prompts longer than that are encoded in a thread: tens of milliseconds would hold up everybody."""

log = logging.getLogger("fitsense.router")


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a version."""

    lineage: Lineage
    counter: Counter


class Cards(Protocol):
    """Where that is found."""

    def card(self, version: str) -> Card:
        """Return a version's card; raises NotFound, Rejected or Unavailable."""


Pointer = Callable[[Environment], tuple[str, int] | None]
"""Returns the version and the percentage that the registry has promoted in an environment; raises Unavailable."""


class Table:
    """The routes of an environment."""

    def __init__(
        self,
        documents: Documents,
        environment: Environment,
        cards: Cards,
        pointer: Pointer,
        teacher: Target | None = None,
    ) -> None:
        self.routes = Routes(teacher=teacher)
        self._teacher = teacher
        self._documents = documents
        self._environment = environment
        self._cards = cards
        self._pointer = pointer
        self._known: dict[str, Card] = {}
        self._one_at_a_time = asyncio.Semaphore(1)

    def lineage(self, version: str) -> Lineage:
        """Return what a version is made of."""
        known = self._known.get(version)
        return known.lineage if known else UNKNOWN

    async def tokens(self, version: str, messages: Sequence[dict[str, str]], room: int) -> int:
        """Return how many tokens messages have for a version, or a bound on it that is within the room.

        Where the version's tokenizer is not known, 0: then the model server counts. Raises ApiError.
        """
        known = self._known.get(version)
        if known is None:
            return 0
        bound = known.counter.bound(messages)
        if bound <= room:
            return bound
        try:
            if bound < INLINE_BYTES:
                return known.counter.count(messages)
            async with self._one_at_a_time:
                return await asyncio.to_thread(known.counter.count, messages)
        except Rejected as exc:
            raise wrong(str(exc), "messages") from exc

    def move(self, event: ModelServed) -> None:
        """Note that a server holds a version, and lead names to it where the registry has promoted it; blocks."""
        promoted = self._pointer(event.environment) == (event.version, event.percent)
        aliases.move(self._documents, event, promoted)

    def set_shadow(self, version: str | None, percent: float) -> None:
        """Have a version asked beside the served one; blocks; raises KeyError where no server holds it."""
        aliases.set_shadow(self._documents, self._environment, version, percent)

    async def keep_fresh(self, every_s: float) -> None:
        """Refresh for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(every_s)

    async def refresh(self) -> None:
        """Read the documents, and the files of versions that are new."""
        try:
            found = await asyncio.to_thread(aliases.read, self._documents, self._environment)
        except FitsenseError as exc:
            log.warning("the aliases cannot be read; the last ones hold", extra={"error": str(exc)})
            return
        routes = found.routes(self._teacher)
        for version in routes.all_versions() - self._known.keys():
            await self._learn(version)
        self.routes = routes

    async def _learn(self, version: str) -> None:
        try:
            self._known[version] = await asyncio.to_thread(self._cards.card, version)
        except FitsenseError as exc:
            log.warning("a version's files cannot be read", extra={"version": version, "error": str(exc)})
