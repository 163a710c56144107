"""Breaker: whether a model server is worth asking.

    closed     it answers
    open       it failed `failures` times running; nobody is sent there until the pause is over
    half open  the pause is over; one request may go and see. It works: closed. It fails: open, twice as long

No clock: every call is told the time, in seconds of any monotonic clock.
"""

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "half_open", "open"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How soon to give up, and how long for."""

    failures: int = 3
    pause_s: float = 1.0
    most_pause_s: float = 30.0


class Breaker:
    """What is known of one model server."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures = 0
        self._pause_s = patience.pause_s
        self._open_until: float | None = None
        self._probing = False

    def state(self, now: float) -> State:
        """Return how it stands."""
        if self._open_until is None:
            return "closed"
        return "half_open" if now >= self._open_until else "open"

    def admits(self, now: float) -> bool:
        """Return whether a request may go; the one that goes while half open is the probe, and must report back."""
        state = self.state(now)
        if state == "half_open" and not self._probing:
            self._probing = True
            return True
        return state == "closed"

    def succeeded(self) -> None:
        """Note that it answered."""
        self._failures = 0
        self._open_until = None
        self._probing = False
        self._pause_s = self._patience.pause_s

    def failed(self, now: float) -> bool:
        """Note that it did not; return whether nobody is to be sent there now."""
        self._failures += 1
        if self._probing:
            self._pause_s = min(2 * self._pause_s, self._patience.most_pause_s)
        if self._probing or self._failures >= self._patience.failures:
            self._open_until = now + self._pause_s
        self._probing = False
        return self._open_until is not None

    def unsettled(self) -> None:
        """Note that a request ended without telling anything: its client left, or it was at fault itself."""
        self._probing = False

    def retry_after_s(self, now: float) -> float:
        """Return when it may be worth asking again."""
        return max(0.0, (self._open_until or now) - now)
