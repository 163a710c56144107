"""Near duplicates: which records say almost the same as an earlier one, in time linear in records.

Records whose sketches agree in a whole band are candidates; their full sketches then tell. The index
is a temporary SQLite file, so that memory does not grow with the dataset.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

BANDS = 4
CACHE_KIB = 4096
SHARING_A_BAND = """
    SELECT record.query_id, record.sketch FROM band JOIN record USING (number)
    WHERE band.key IN (?, ?, ?, ?)
"""


class NearDuplicates:
    """The records accepted so far, by sketch. Use `near_duplicates()` to get one."""

    def __init__(self, db: sqlite3.Connection, jaccard: float) -> None:
        self._db = db
        self._jaccard = jaccard

    def original_of(self, query_id: str, sketch: str) -> str | None:
        """Return the query whose accepted record this sketch repeats; accept it where there is none.

        A similarity of 1 asked for means equal sketches. Below it, pairs at the similarity asked for are
        found with a probability of 0.9 at 0.95, and more the more alike they are.
        """
        bands = _bands(sketch)
        for original, other in self._db.execute(SHARING_A_BAND, bands):
            if _similarity(sketch, other) >= self._jaccard:
                return str(original)
        row = (query_id, sketch)
        number = self._db.execute("INSERT INTO record (query_id, sketch) VALUES (?, ?)", row).lastrowid
        self._db.executemany("INSERT OR IGNORE INTO band VALUES (?, ?)", [(band, number) for band in bands])
        return None


@contextmanager
def near_duplicates(jaccard: float) -> Iterator[NearDuplicates]:
    """Open an empty index; records from that similarity on count as duplicates."""
    with closing(sqlite3.connect("", isolation_level=None)) as db:
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("CREATE TABLE record (number INTEGER PRIMARY KEY, query_id TEXT, sketch TEXT)")
        db.execute("CREATE TABLE band (key INTEGER PRIMARY KEY, number INTEGER)")
        db.execute("BEGIN")
        yield NearDuplicates(db, jaccard)


def _bands(sketch: str) -> list[int]:
    """Return a 64-bit key per band, good in this process only; the band's number is in it, so that bands do not mix."""
    width = len(sketch) // BANDS
    return [hash((band, sketch[band * width : (band + 1) * width])) for band in range(BANDS)]


def _similarity(one: str, other: str) -> float:
    values = len(one) // 4
    return sum(one[i : i + 4] == other[i : i + 4] for i in range(0, len(one), 4)) / values
