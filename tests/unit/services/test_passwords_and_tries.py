"""Passwords and tries: what guessing costs, and what it costs us."""

import threading

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


def test_who_waits_too_long_for_a_turn_is_told_to_come_back() -> None:
    passwords = Passwords(at_once=1, wait_s=0.05)
    passwords._turns.acquire()
    with pytest.raises(Unavailable):
        passwords.hash(SecretStr("correct horse"))
    passwords._turns.release()
    assert passwords.hash(SecretStr("correct horse"))


def test_no_more_hashes_are_made_at_once_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, busy, most = Passwords(at_once=2, wait_s=30), [0], [0]
    lock, release = threading.Lock(), threading.Event()

    class Slow:
        def hash(self, password: bytes) -> str:
            with lock:
                busy[0] += 1
                most[0] = max(most[0], busy[0])
            release.wait(0.05)
            with lock:
                busy[0] -= 1
            return "x"

    monkeypatch.setattr(passwords, "_hasher", Slow())
    threads = [threading.Thread(target=passwords.hash, args=(SecretStr("p"),)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


def test_each_wrong_password_past_the_free_ones_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(failures, free=5).total_seconds() for failures in range(3, 9)]
    assert waits == [0, 0, 2, 4, 8, 16]
    assert wait_after(10**6, free=5) == FORGOTTEN
