"""Breaker: when a model server is not asked any more, and how it gets back."""

from services.inference_router.breaker import Breaker, Patience

PATIENCE = Patience(failures=3, pause_s=1.0, most_pause_s=4.0)


def opened() -> Breaker:
    breaker = Breaker(PATIENCE)
    assert [breaker.failed(0) for _ in range(3)] == [False, False, True]
    return breaker


def test_it_opens_after_so_many_failures_running() -> None:
    breaker = Breaker(PATIENCE)
    breaker.failed(0)
    breaker.failed(0)
    breaker.succeeded()
    breaker.failed(0)
    assert breaker.state(0) == "closed"
    assert opened().state(0) == "open"


def test_nobody_is_sent_while_it_is_open() -> None:
    breaker = opened()
    assert not breaker.admits(0.9)
    assert breaker.retry_after_s(0.4) == 0.6


def test_one_probe_goes_when_the_pause_is_over() -> None:
    breaker = opened()
    assert breaker.state(1.0) == "half_open"
    assert [breaker.admits(1.0), breaker.admits(1.0)] == [True, False]


def test_a_probe_that_works_closes_it() -> None:
    breaker = opened()
    breaker.admits(1.0)
    breaker.succeeded()
    assert breaker.state(1.0) == "closed"
    assert breaker.admits(1.0)


def test_a_probe_that_fails_doubles_the_pause_up_to_a_limit() -> None:
    breaker = opened()
    now, pauses = 1.0, []
    for _ in range(4):
        assert breaker.admits(now)
        breaker.failed(now)
        pauses.append(breaker.retry_after_s(now))
        now += pauses[-1]
    assert pauses == [2.0, 4.0, 4.0, 4.0]


def test_a_probe_whose_client_left_lets_the_next_one_go() -> None:
    breaker = opened()
    assert breaker.admits(1.0)
    breaker.unsettled()
    assert breaker.admits(1.0)


def test_the_pause_is_short_again_after_it_worked() -> None:
    breaker = opened()
    breaker.admits(1.0)
    breaker.failed(1.0)
    breaker.admits(3.0)
    breaker.succeeded()
    for _ in range(3):
        breaker.failed(10.0)
    assert breaker.retry_after_s(10.0) == 1.0
