"""Active users: how many people have asked a model within a day.

In memory, so that it begins anew with the process, and is one router's: there is one. A person is kept as eight bytes
of a digest: no name is needed to count.
"""

import hashlib
from collections import OrderedDict

WITHIN_S = 86_400.0


class ActiveUsers:
    """The people of the last day, the one who asked longest ago first."""

    def __init__(self) -> None:
        self._asked_at: OrderedDict[bytes, float] = OrderedDict()

    def note(self, user_id: str, now: float) -> None:
        """Note that somebody asks; `now` is any clock that only goes forward."""
        person = hashlib.blake2b(user_id.encode(), digest_size=8).digest()
        self._asked_at[person] = now
        self._asked_at.move_to_end(person)

    def count(self, now: float) -> int:
        """Return how many people have asked within a day."""
        while self._asked_at and next(iter(self._asked_at.values())) <= now - WITHIN_S:
            self._asked_at.popitem(last=False)
        return len(self._asked_at)
