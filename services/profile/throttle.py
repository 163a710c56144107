"""Throttle: how often a password may be tried: counted in Postgres, so that it holds over all instances.

Counted are the tries of an address for an e-mail, those for an e-mail from anywhere, and those of an address for
anybody. Past its free tries each waits twice as long for the next as for the last, up to a quarter of an hour,
after which all is forgotten. Only an address that guesses is kept out of an account quickly; keeping its owner
out takes many more.
"""

import hashlib
from datetime import timedelta
from typing import Final

from shared.errors import Throttled
from shared.statements import Asked, Rows, Statement

FORGOTTEN: Final = timedelta(minutes=15)
FREE: Final = {"pair": 5, "email": 50, "address": 100}
"""Failures before the first wait."""

LOOK: Final = Statement("""
    SELECT key, failures, last_at, now() FROM profile.login_failures WHERE key IN (:pair, :email, :address)""")
COUNT: Final = Statement("""
    INSERT INTO profile.login_failures AS f (key, failures) VALUES (:address, 1), (:email, 1), (:pair, 1)
    ON CONFLICT (key) DO UPDATE SET last_at = now(),
      failures = CASE WHEN f.last_at < now() - interval '15 minutes' THEN 1 ELSE f.failures + 1 END""")
CLEAR: Final = Statement("DELETE FROM profile.login_failures WHERE key = :pair")
SWEEP: Final = Statement("DELETE FROM profile.login_failures WHERE last_at < now() - interval '1 day'")


class Tries:
    """One try to log in: who is tried, from where."""

    def __init__(self, email: str, address: str) -> None:
        who, where = _digest(email.lower()), _digest(address)
        self._keys = {"pair": f"pair:{who}{where}", "email": f"email:{who}", "address": f"address:{where}"}

    def look(self) -> Asked:
        """Return the statement whose rows `check` reads."""
        return LOOK(**self._keys)

    def failed(self) -> tuple[Asked, ...]:
        """Return the statements that count a failure."""
        return COUNT(**self._keys), SWEEP()

    def succeeded(self) -> Asked:
        """Return the statement that forgets the failures of this address for this e-mail."""
        return CLEAR(pair=self._keys["pair"])


def check(rows: Rows) -> None:
    """Raise Throttled where the next try has to wait."""
    for key, failures, last_at, now in rows:
        wait = wait_after(failures, FREE[key.partition(":")[0]])
        left_s = ((last_at + wait) - now).total_seconds()
        if left_s > 0 and now - last_at < FORGOTTEN:
            raise Throttled("too many wrong passwords; wait before the next try", retry_after_s=left_s)


def wait_after(failures: int, free: int) -> timedelta:
    """Return how long to wait after that many failures."""
    if failures < free:
        return timedelta()
    return min(FORGOTTEN, timedelta(seconds=2 ** min(failures - free + 1, 10)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
