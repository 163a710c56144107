"""Admission: slots, a bounded fair queue, deadlines, and what the refused are told."""

import random
from collections import Counter

import pytest

from services.inference_router.admission import Admission, Places, Priority, Ticket


def ticket(user: str, priority: Priority = "interactive", deadline: float = 1e9, cost: float = 1.0) -> Ticket:
    return Ticket(user, priority, deadline, cost)


def door(slots: int = 1, queue: int = 8, user_most: int = 100) -> Admission:
    return Admission(Places(slots, queue, user_most))


def filled(admission: Admission, *users: str) -> list[Ticket]:
    """Offer a ticket for each, which nobody refuses, and start what may start."""
    tickets = [ticket(user) for user in users]
    for one in tickets:
        assert admission.offer(one, 0) is None
        admission.start(0)
    return tickets


def served_order(admission: Admission, running: list[Ticket]) -> list[str]:
    """Finish whatever runs, one after the other, until nobody is left; return the users in the order of their start."""
    order = []
    while running:
        admission.release(running.pop(0), 0, answered=True)
        begun = admission.start(0)
        order += [one.user for one in begun]
        running += begun
    return order


def test_no_more_are_in_flight_than_there_are_slots() -> None:
    admission = door(slots=3)
    filled(admission, "a", "b", "c", "d", "e")
    assert (admission.in_flight, admission.queued) == (3, 2)


def test_users_take_turns_however_many_requests_each_has() -> None:
    admission = door(queue=100)
    running = filled(admission, "a")
    for user in "aaaabbbcc":
        assert admission.offer(ticket(user), 0) is None
    assert "".join(served_order(admission, running)) == "bcabcabaa"


def test_who_asks_for_much_waits_longer_than_who_asks_for_little() -> None:
    admission = door(queue=100)
    running = filled(admission, "x")
    for _ in range(4):
        admission.offer(ticket("long", cost=3.0), 0)
        admission.offer(ticket("short", cost=1.0), 0)
    order = served_order(admission, running)
    assert order[:5] == ["long", "short", "short", "short", "long"]


def test_who_was_idle_starts_level_with_the_others_and_not_ahead() -> None:
    admission = door(queue=100)
    running = filled(admission, "busy")
    for _ in range(50):
        admission.offer(ticket("busy"), 0)
        admission.release(running.pop(), 0, answered=True)
        running = admission.start(0)
    for user in ("busy", "new", "new", "busy"):
        admission.offer(ticket(user), 0)
    assert served_order(admission, running) == ["new", "busy", "new", "busy"]


def test_interactive_goes_before_background() -> None:
    admission = door()
    running = filled(admission, "x")
    for priority in ("background", "interactive"):
        admission.offer(ticket(f"{priority}-user", priority), 0)  # type: ignore[arg-type]
    assert served_order(admission, running) == ["interactive-user", "background-user"]


def test_a_full_queue_refuses_and_tells_when_it_will_have_been_served() -> None:
    admission = Admission(Places(slots=2, queue=4, user_most=9, first_guess_s=6.0))
    filled(admission, *"abcdef")
    refusal = admission.offer(ticket("g"), 0)
    assert refusal
    assert (refusal.reason, refusal.retry_after_s) == ("queue_full", 15)  # five ahead, two every six seconds


def test_when_to_come_again_follows_the_measured_service_time() -> None:
    admission = Admission(Places(slots=1, queue=1, user_most=9, first_guess_s=10.0))
    now = 0.0
    for _ in range(100):
        one = ticket("a")
        admission.offer(one, now)
        admission.start(now)
        now += 2.0
        admission.release(one, now, answered=True)
    filled(admission, "a", "b")
    assert admission.refusal("queue_full").retry_after_s == 5  # two, at two seconds and a trace of the first guess


def test_one_user_cannot_fill_the_queue() -> None:
    admission = door(queue=8)
    filled(admission, "greedy")
    taken = [admission.offer(ticket("greedy"), 0) for _ in range(8)]
    assert taken[:4] == [None] * 4
    assert {refusal.reason for refusal in taken[4:] if refusal} == {"queue_full"}
    assert admission.offer(ticket("somebody else"), 0) is None


def test_background_work_leaves_more_room_than_it_takes() -> None:
    admission = door(queue=8)
    filled(admission, "x")
    taken = [admission.offer(ticket("night job", "background"), 0) is None for _ in range(8)]
    assert sum(taken) == 3


def test_a_user_holds_no_more_places_than_allowed() -> None:
    admission = door(slots=4, queue=40, user_most=3)
    filled(admission, "a", "a", "a")
    refusal = admission.offer(ticket("a"), 0)
    assert refusal
    assert refusal.reason == "user_limit"
    assert admission.offer(ticket("b"), 0) is None


def test_who_waits_past_the_deadline_is_taken_out() -> None:
    admission = door()
    filled(admission, "x")
    soon, later = ticket("a", deadline=5), ticket("b", deadline=50)
    admission.offer(soon, 0)
    admission.offer(later, 0)
    assert admission.overdue(4.9) == []
    assert admission.overdue(5.0) == [soon]
    assert admission.queued == 1


def test_who_leaves_the_queue_frees_a_place() -> None:
    admission = door(queue=1)
    running = filled(admission, "x")
    waits = ticket("a")
    admission.offer(waits, 0)
    assert admission.offer(ticket("b"), 0)
    assert admission.withdraw(waits)
    assert not admission.withdraw(waits)
    assert not admission.withdraw(running[0])
    assert admission.offer(ticket("b"), 0) is None


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_whatever_comes(seed: int) -> None:
    """Random arrivals, ends, departures and deadlines: the counts stay right and every ticket ends once."""
    draw = random.Random(seed)
    admission = Admission(Places(slots=draw.randint(1, 4), queue=draw.randint(0, 12), user_most=draw.randint(1, 6)))
    waiting: list[Ticket] = []
    running: list[Ticket] = []
    ends: Counter[int] = Counter()
    offered = 0
    for now in range(600):
        if draw.random() < 0.6:
            offered += 1
            one = ticket(draw.choice("abcdef"), draw.choice(["interactive", "background"]), now + draw.randint(1, 20))
            if admission.offer(one, now):
                ends[one.number] += 1
            else:
                waiting.append(one)
        if waiting and draw.random() < 0.1:
            gone = waiting.pop(draw.randrange(len(waiting)))
            assert admission.withdraw(gone)
            ends[gone.number] += 1
        for late in admission.overdue(now):
            waiting.remove(late)
            ends[late.number] += 1
        if running and draw.random() < 0.5:
            done = running.pop(draw.randrange(len(running)))
            admission.release(done, now, answered=draw.random() < 0.8)
            ends[done.number] += 1
        for one in admission.start(now):
            waiting.remove(one)
            running.append(one)
        assert admission.in_flight == len(running) <= admission.places.slots
        assert admission.queued == len(waiting) <= admission.places.queue + admission.places.slots
    assert offered == len(ends) + len(waiting) + len(running)
    assert set(ends.values()) == {1}


def test_users_who_have_gone_leave_nothing_behind() -> None:
    admission = door(slots=2, queue=10)
    running = filled(admission, *(f"user {n}" for n in range(5)))[:2]
    served_order(admission, running)
    assert admission._users == {}
