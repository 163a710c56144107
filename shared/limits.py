"""Limits: how often somebody may ask one instance: buckets that fill at a rate and hold twice a second's worth.

Kept in this process: n instances let n times as much through, which is how they scale. What has to hold over
all instances, as the tries to guess a password, is counted in the database by who needs that.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from shared.errors import Throttled

KNOWN = 10_000


class RateLimit:
    """Token buckets by name, the least recently used forgotten first."""

    def __init__(
        self, per_second: float, burst: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = per_second
        self._burst = max(1.0, 2 * per_second if burst is None else burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, name: str) -> None:
        """Count one request; raises Throttled, which says how long to wait."""
        now = self._clock()
        with self._lock:
            left, at = self._buckets.pop(name, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._rate)
            self._buckets[name] = (left - 1 if left >= 1 else left, now)
            if len(self._buckets) > KNOWN:
                self._buckets.popitem(last=False)
        if left < 1:
            raise Throttled("too many requests; slow down", retry_after_s=(1 - left) / self._rate)
