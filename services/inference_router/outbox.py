"""Outbox: events on their way to the bus, in a file, so that none is lost and no answer waits.

    append    one write to a file that is open anyway; it outlives this process, however that ends
    publish   a thread reads on from where it was, publishes, and notes how far it came; while the bus is down it
              tries again, so an event is late and not lost, and may come twice (its id tells)

Files: <n>.jsonl, an event a line, and <n>.done, how many of its bytes are published. A process takes the first
pair that no other one holds, with what may be left in it.
"""

import fcntl
import logging
import os
import threading
import time
from pathlib import Path

from shared.bus import Bus
from shared.errors import Rejected, Unavailable
from shared.events import AiInteraction

BATCH_BYTES = 1 << 20
TRUNCATE_BYTES = 1 << 22
GATHER_S = 0.05
"""Events of so long are published together: a thread that woke for each would hold up the answers."""
FIRST_PAUSE_S = 0.1
MOST_PAUSE_S = 5.0

log = logging.getLogger("fitsense.outbox")


class Outbox:
    """Events that must reach a bus."""

    def __init__(self, folder: Path, bus: Bus) -> None:
        self._bus = bus
        self._file, self._done_file = _take(folder)
        self._size = _mend(self._file)
        self._done = min(int(os.pread(self._done_file, 20, 0) or b"0"), self._size)
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._end = 0.0
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    @property
    def pending_bytes(self) -> int:
        """How much is not published yet."""
        return self._size - self._done

    def start(self) -> None:
        """Begin to publish, with what an earlier process left."""
        self._wake.set()
        self._thread.start()

    def append(self, event: AiInteraction) -> None:
        """Keep an event for publishing. Where the disk does not take it, it stands in the log instead."""
        line = event.data() + b"\n"
        try:
            with self._writing:
                self._size += os.write(self._file, line)
        except OSError as exc:
            log.error("an interaction could not be kept", extra={"error": str(exc), "interaction": line.decode()})
        self._wake.set()

    def close(self, patience_s: float) -> None:
        """Publish what is left, for so long; what then is left stays in the file, for the next process."""
        self._end = time.monotonic() + patience_s
        self._closing.set()
        self._wake.set()
        self._thread.join(patience_s + 1)
        if not self._thread.is_alive():
            os.close(self._file)
            os.close(self._done_file)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not (self._closing.is_set() and (not self.pending_bytes or time.monotonic() > self._end)):
            self._wake.wait(None if not self.pending_bytes else pause_s)
            self._closing.wait(GATHER_S)
            self._wake.clear()
            try:
                self._publish_all()
                pause_s = FIRST_PAUSE_S
            except Unavailable as exc:
                log.warning("interactions wait for the bus", extra={"error": str(exc), "bytes": self.pending_bytes})
                self._closing.wait(pause_s)
                pause_s = FIRST_PAUSE_S if self._closing.is_set() else min(2 * pause_s, MOST_PAUSE_S)

    def _publish_all(self) -> None:
        while self.pending_bytes:
            whole = self._lines()
            for line in whole.splitlines():
                self._publish(line)
            self._bus.flush()
            self._note(self._done + len(whole))

    def _lines(self) -> bytes:
        """Return the next whole lines; one at least, however long it is."""
        size = BATCH_BYTES
        while not (end := (batch := os.pread(self._file, size, self._done)).rfind(b"\n") + 1):
            size *= 2
        return batch[:end]

    def _publish(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            self._bus.publish(AiInteraction.from_message(line, {}))
        except Rejected as exc:
            log.error("a line of the outbox is no interaction", extra={"error": str(exc)})

    def _note(self, done: int) -> None:
        with self._writing:
            self._done = done
            if self._done == self._size and self._size > TRUNCATE_BYTES:
                os.ftruncate(self._file, 0)
                self._size = self._done = 0
            os.pwrite(self._done_file, b"%020d" % self._done, 0)


def _take(folder: Path) -> tuple[int, int]:
    """Open and lock the first pair that is free."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1000):
        file = os.open(folder / f"{number}.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        return file, os.open(folder / f"{number}.done", os.O_RDWR | os.O_CREAT, 0o600)
    raise Unavailable(f"a thousand processes have their outbox in {folder}")


def _mend(file: int) -> int:
    """End a line that a dying process left unfinished; return the file's size."""
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        size += os.write(file, b"\n")
    return size
