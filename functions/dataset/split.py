"""Split: which part of the dataset a user belongs to.

    stratum   the user's goal and which types of message they sent
    split     the n-th user of a stratum takes the n-th point of a golden-ratio sequence on [0, 1),
              whose start is a hash of seed and stratum: below `test` test, below `test + val` val, else train

All examples of a user share a split, so that nobody who is evaluated on was ever trained on. The
sequence spreads evenly over every prefix, so each stratum is divided as asked within about one user;
and a user's place depends on those before them alone, so that adding users never moves an old one.
"""

import hashlib
from collections import Counter

from shared.records import Split
from shared.run_config import DatasetSettings

GOLDEN_RATIO_64 = 0x9E3779B97F4A7C15


class UserSplits:
    """Assigns splits to users, who must come in the order of their numbers."""

    def __init__(self, seed: int, settings: DatasetSettings) -> None:
        self._seed = seed
        self._test = int(settings.test * 2**64)
        self._held_out = int((settings.test + settings.val) * 2**64)
        self._seen: Counter[str] = Counter()

    def next(self, stratum: str) -> Split:
        """Return the split of the next user of a stratum."""
        rank = self._seen[stratum]
        self._seen[stratum] += 1
        start = hashlib.sha256(f"{self._seed}:split:{stratum}".encode()).digest()[:8]
        point = (int.from_bytes(start, "big") + rank * GOLDEN_RATIO_64) % 2**64
        if point < self._test:
            return "test"
        return "val" if point < self._held_out else "train"
