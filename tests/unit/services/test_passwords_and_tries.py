"""Passwords and tries: what guessing costs, and what it costs us."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from services.profile.passwords import MEMORY_KIB, Passwords
from services.profile.throttle import FORGOTTEN, wait_after
from shared.errors import Unavailable


def test_a_password_fits_its_own_hash_alone() -> None:
    passwords = Passwords()
    made = passwords.hash(SecretStr("correct horse"))
    assert made.startswith("$argon2id$")
    assert f"m={MEMORY_KIB}," in made
    assert passwords.fits(SecretStr("correct horse"), made)
    assert not passwords.fits(SecretStr("correct house"), made)
    assert not passwords.fits(SecretStr("correct horse"), None)
    assert not passwords.fits(SecretStr("correct horse"), "not a hash")


class Slow:
    """Hashes no faster than it is let, and keeps which threads it did so in."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()
        self.threads: set[int] = set()

    def hash(self, password: bytes) -> str:
        self.threads.add(threading.get_ident())
        self.begun.release()
        assert self.go_on.wait(60)
        return password.decode()


def test_who_waits_too_long_for_a_turn_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, slow = Passwords(at_once=1, wait_s=0.05), Slow()
    monkeypatch.setattr(passwords, "_hasher", slow)
    with ThreadPoolExecutor() as others:
        first = others.submit(passwords.hash, SecretStr("begun"))
        assert slow.begun.acquire(timeout=60)
        with pytest.raises(Unavailable):
            passwords.hash(SecretStr("correct horse"))
        slow.go_on.set()
        assert first.result(60) == "begun", "who has begun is not sent away, however long it takes"
    assert passwords.hash(SecretStr("correct horse"))


def test_hashes_are_made_in_two_threads_whoever_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread has freed, malloc keeps for it: 19 MiB for each that ever hashed."""
    passwords, slow = Passwords(at_once=2, wait_s=60), Slow()
    monkeypatch.setattr(passwords, "_hasher", slow)
    with ThreadPoolExecutor(10) as others:
        made = [others.submit(passwords.hash, SecretStr(str(number))) for number in range(10)]
        assert slow.begun.acquire(timeout=60)
        assert slow.begun.acquire(timeout=60)
        assert not slow.begun.acquire(timeout=0.2), "a third one began"
        slow.go_on.set()
        assert [one.result(60) for one in made] == [str(number) for number in range(10)]
    assert len(slow.threads) == 2


def test_each_wrong_password_past_the_free_ones_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(failures, free=5).total_seconds() for failures in range(3, 9)]
    assert waits == [0, 0, 2, 4, 8, 16]
    assert wait_after(10**6, free=5) == FORGOTTEN
