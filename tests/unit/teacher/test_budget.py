"""Budget: the cap holds, whoever draws and however requests end."""

import asyncio
import random
import threading

import pytest

from functions.teacher.budget import Budget
from shared.errors import Stopped


class MemoryLedger:
    """A ledger that several budgets draw on, and that counts how often."""

    def __init__(self, left_usd: float) -> None:
        self.left_usd = left_usd
        self.draws = 0
        self._lock = threading.Lock()

    def draw(self, usd: float) -> float:
        with self._lock:
            self.draws += 1
            granted = min(usd, self.left_usd)
            self.left_usd -= granted
            return granted

    def give_back(self, usd: float) -> None:
        with self._lock:
            self.left_usd += usd


async def spend(budget: Budget, most_usd: float, costs: list[float], paid: list[float]) -> None:
    async def one(cost_usd: float) -> None:
        await budget.reserve(most_usd)
        await asyncio.sleep(0.001)
        paid.append(cost_usd)
        budget.settle(most_usd, cost_usd)

    await asyncio.gather(*(one(cost) for cost in costs), return_exceptions=True)
    await budget.close()


@pytest.mark.parametrize("seed", range(5))
def test_several_budgets_with_64_open_reservations_never_exceed_the_cap(seed: int) -> None:
    rng = random.Random(seed)
    ledger, paid = MemoryLedger(1.0), list[float]()
    budgets = [Budget(ledger, 1.0) for _ in range(4)]

    async def run() -> None:
        costs = [[rng.uniform(0, 0.01) for _ in range(200)] for _ in budgets]
        await asyncio.gather(*(spend(b, 0.01, c, paid) for b, c in zip(budgets, costs, strict=True)))

    asyncio.run(run())
    assert 0.8 < sum(paid) <= 1.0 + 1e-9
    assert ledger.left_usd + sum(paid) == pytest.approx(1.0)


def test_what_fits_the_cap_is_not_stopped_by_worst_cases() -> None:
    """300 requests of 0.003 could cost 3 USD, and do cost 0.9."""
    ledger, paid = MemoryLedger(1.0), list[float]()

    async def run() -> None:
        await spend(Budget(ledger, 1.0), 0.01, [0.003] * 300, paid)

    asyncio.run(run())
    assert len(paid) == 300


def test_a_spent_budget_stops_and_says_which_setting_to_raise() -> None:
    async def run() -> None:
        await Budget(MemoryLedger(0.0), 5.0).reserve(0.01)

    with pytest.raises(Stopped, match=r"max_cost_usd \(5\).*resume"):
        asyncio.run(run())


def test_the_ledger_is_written_rarely_and_gets_the_rest_back() -> None:
    ledger, paid = MemoryLedger(1.0), list[float]()
    asyncio.run(spend(Budget(ledger, 1.0), 0.0001, [0.0001] * 400, paid))
    assert ledger.draws <= 3
    assert ledger.left_usd == pytest.approx(0.96)
