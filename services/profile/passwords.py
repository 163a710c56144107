"""Passwords: Argon2id, sized so that logins cannot take an instance of 512 MiB down.

One hash takes 19 MiB and some 20 ms of a core (OWASP's second choice of parameters: m=19 MiB, t=2, p=1). Two
threads make all of them: malloc keeps what a thread has freed for that thread, so that hashing in the server's own
threads would hold 19 MiB for each of those, for ever. Who waits longer than a moment for their turn gets 503.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from shared.errors import Unavailable

AT_ONCE: Final = 2
WAIT_S: Final = 3.0
MEMORY_KIB: Final = 19_456

T = TypeVar("T")


class Passwords:
    """Makes and checks hashes, two at a time."""

    def __init__(self, at_once: int = AT_ONCE, wait_s: float = WAIT_S) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="hashing")
        self._wait_s = wait_s
        self._nobody = ""

    def hash(self, password: SecretStr) -> str:
        """Return a password's hash; raises Unavailable where too many are being made."""
        return self._in_turn(lambda: self._hasher.hash(_bytes(password)))

    def fits(self, password: SecretStr, made: str | None) -> bool:
        """Return whether a hash was made of a password. Nobody's hash takes as long as anybody's."""
        if made is None:
            self._nobody = self._nobody or self.hash(SecretStr("nobody's"))
        try:
            self._in_turn(lambda: self._hasher.verify(made or self._nobody, _bytes(password)))
        except (VerificationError, InvalidHashError):
            return False
        return made is not None

    def _in_turn(self, work: Callable[[], T]) -> T:
        turn = self._threads.submit(work)
        try:
            return turn.result(self._wait_s)
        except TimeoutError as exc:
            if turn.cancel():
                raise Unavailable("too many people are logging in at this moment; try again shortly") from exc
            return turn.result()  # it has begun


def _bytes(password: SecretStr) -> bytes:
    return password.get_secret_value().encode()
