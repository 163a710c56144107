"""Limits: caps and rates, on a real event loop and with scaled-down numbers."""

import asyncio
import time

from functions.teacher.limits import Limits, Pacer, Slots


def test_never_more_than_the_slots_are_held_and_all_get_their_turn() -> None:
    async def run() -> tuple[int, int]:
        limits, held, most, done = Limits(3), 0, 0, 0

        async def one() -> None:
            nonlocal held, most, done
            async with limits.slot(first_try=True, tokens=1):
                held += 1
                most = max(most, held)
                await asyncio.sleep(0.002)
                held -= 1
            done += 1

        await asyncio.gather(*(one() for _ in range(20)))
        return most, done

    assert asyncio.run(run()) == (3, 20)


def test_a_retry_goes_before_first_tries_that_waited_longer() -> None:
    async def run() -> list[str]:
        slots, order = Slots(1), []

        async def one(name: str, first_try: bool) -> None:
            await slots.take(first_try=first_try)
            order.append(name)
            await asyncio.sleep(0)
            slots.give()

        await asyncio.gather(one("a", True), one("b", True), one("c", True), one("retry", False))
        return order

    assert asyncio.run(run()) == ["a", "retry", "b", "c"]


def test_a_cancelled_wait_loses_no_slot() -> None:
    async def run() -> None:
        slots = Slots(1)
        await slots.take(first_try=True)
        waiting = [asyncio.create_task(slots.take(first_try=True)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        slots.give()
        waiting[1].cancel()
        await asyncio.wait_for(waiting[2], 1)

    asyncio.run(run())


def test_a_pacer_never_lets_more_than_its_rate_through_and_comes_close_to_it() -> None:
    async def run() -> list[float]:
        pacer, moments = Pacer(per_minute=6000), []
        for _ in range(60):
            await pacer.wait()
            moments.append(time.monotonic())
        return moments

    moments = asyncio.run(run())
    in_a_fifth = max(sum(start <= m < start + 0.2 for m in moments) for start in moments)
    assert in_a_fifth <= 20 + 2
    assert moments[-1] - moments[0] < 0.9


def test_tokens_are_paced_by_their_number_and_corrected_by_what_was_used() -> None:
    async def run(correction: int) -> float:
        limits = Limits(10, tokens_per_minute=60_000)
        begin = time.monotonic()
        for _ in range(4):
            async with limits.slot(first_try=True, tokens=100):
                limits.correct_tokens(correction)
        return time.monotonic() - begin

    assert 0.28 <= asyncio.run(run(0)) < 0.5
    assert asyncio.run(run(-90)) < 0.15
    assert asyncio.run(run(+100)) >= 0.58


def test_a_process_keeps_to_its_share() -> None:
    async def run() -> float:
        limits = Limits(10, requests_per_minute=6000, share=4)
        begin = time.monotonic()
        for _ in range(11):
            async with limits.slot(first_try=True, tokens=1):
                pass
        return time.monotonic() - begin

    assert 0.37 <= asyncio.run(run()) < 0.7
