"""Budget: a hard limit on what a run may spend, over all its processes.

Before a request is sent the most it can cost is reserved; afterwards the reservation is settled
for what it did cost. Reservations come out of a balance that is drawn from the run's ledger, a
shared document, in pieces of 2 % of the limit, so that the document is written rarely. Whatever
a killed process had drawn counts as spent: the limit errs on the side of the purse.
"""

import asyncio
from typing import Protocol

from shared.errors import Stopped

PIECE = 0.02


class Ledger(Protocol):
    """What is left of a run's limit; atomic, and shared by all its processes."""

    def draw(self, usd: float) -> float:
        """Take up to `usd`, and return what was there to take: 0 where all is spent."""

    def give_back(self, usd: float) -> None:
        """Return what was drawn and not spent."""


class Budget:
    """One shard's access to the ledger; lives on one event loop."""

    def __init__(self, ledger: Ledger, cap_usd: float) -> None:
        self._ledger = ledger
        self._cap_usd = cap_usd
        self._balance_usd = 0.0
        self._open = 0
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()

    async def reserve(self, usd: float) -> None:
        """Set `usd` aside, waiting for open reservations where they may free some; raises Stopped."""
        async with self._turn:
            while self._balance_usd < usd:
                self._settled.clear()
                wanted_usd = max(usd - self._balance_usd, PIECE * self._cap_usd)
                granted_usd = await asyncio.to_thread(self._ledger.draw, wanted_usd)
                self._balance_usd += granted_usd
                if self._balance_usd < usd:
                    await self._wait_for_settlement(usd)
            self._balance_usd -= usd
            self._open += 1

    def settle(self, reserved_usd: float, spent_usd: float) -> None:
        """End a reservation, for what was spent of it."""
        self._balance_usd += reserved_usd - spent_usd
        self._open -= 1
        self._settled.set()

    async def close(self) -> None:
        """Give back what is left, or make good what an endpoint charged beyond the reservation."""
        left_usd, self._balance_usd = self._balance_usd, 0.0
        if left_usd > 0:
            await asyncio.to_thread(self._ledger.give_back, left_usd)
        elif left_usd < 0:
            await asyncio.to_thread(self._ledger.draw, -left_usd)

    async def _wait_for_settlement(self, usd: float) -> None:
        if not self._open:
            raise Stopped(
                f"what is left of teacher.max_cost_usd ({self._cap_usd:g}) does not cover one more request"
                f" (up to {usd:.4g} USD); all answers so far are kept: raise it and resume"
            )
        await self._settled.wait()
