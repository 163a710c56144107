"""Tries: when an ask in trouble is tried again, when that has been enough, and what it cost so far.

A failure (5xx, time-out, no connection, garbage) counts against max_attempts. Being throttled says
nothing bad about the prompt, so a busy minute may last five times as many tries. Retry-After is
honoured; without it the wait is exponential with full jitter. (No retry library: they build their
state per call, failed or not, which was a sixth of the client's work.)
"""

import random
import time

from functions.teacher.completion import Retryable, Throttled

THROTTLES_PER_ATTEMPT = 5
LONGEST_WAIT_S = 300
"""An endpoint that wants more than this is as good as down."""

FIRST_WAIT_S = 0.5
LONGEST_BACKOFF_S = 30.0
JITTER_S = 0.1


class Tries:
    """The attempts at one ask."""

    def __init__(self, max_attempts: int) -> None:
        self._max_attempts = max_attempts
        self._errors: list[Retryable] = []
        self._began_at_s: list[float] = []
        self.cost_usd = 0.0

    @property
    def count(self) -> int:
        """Return how many requests were sent."""
        return len(self._began_at_s)

    @property
    def in_trouble_since_s(self) -> float:
        """Return when the second attempt began (monotonic), or the only one."""
        return self._began_at_s[:2][-1]

    def begin(self) -> None:
        """Note that a request is being sent."""
        self._began_at_s.append(time.monotonic())

    def elapsed_ms(self) -> float:
        """Return how long the last attempt has taken."""
        return round((time.monotonic() - self._began_at_s[-1]) * 1000, 1)

    def failed(self, error: Retryable) -> None:
        """Note what an attempt came to."""
        self._errors.append(error)

    def are_over(self) -> bool:
        """Return whether it is time to give up."""
        throttles = sum(isinstance(error, Throttled) for error in self._errors)
        return (
            (self._errors[-1].retry_after_s or 0) > LONGEST_WAIT_S
            or len(self._errors) - throttles >= self._max_attempts
            or throttles >= self._max_attempts * THROTTLES_PER_ATTEMPT
        )

    def wait_s(self) -> float:
        """Return how long to wait before the next attempt."""
        asked_for_s = self._errors[-1].retry_after_s
        if asked_for_s is not None:
            return asked_for_s + random.uniform(0, JITTER_S)
        most_s = min(LONGEST_BACKOFF_S, FIRST_WAIT_S * 2 ** (len(self._errors) - 1))
        return random.uniform(0, most_s)
