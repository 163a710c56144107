"""Queues: the spool as its one dispatcher sees it: what is new, sorted by subscription and kept until delivered.

Of all processes that deliver on a directory one owns its spool, by a lock that ends with the process. The
others put messages into it like everybody else, and take over when the owner is gone.
"""

import fcntl
import logging
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from deploy.topology import Topology
from shared.bus import Message
from shared.errors import Rejected
from shared.spool import Kept, Spool, names, on_disk, read, write_whole

RETENTION_S = 7 * 24 * 3600
"""How long a message waits for a subscriber that does not come: as long as on Pub/Sub."""

log = logging.getLogger("fitsense.queues")


class Queues:
    """The messages for the subscribers that this process can deliver to."""

    def __init__(self, spool: Spool, graph: Topology, subscribers: Collection[str]) -> None:
        self._spool = spool
        self._folder = spool.folder
        self._pushes = [(edge.topic, name, edge.function) for name, edge in graph.edges().items()]
        self._pushes += [(edge.topic, name, edge.service) for name, edge in graph.service_edges().items()]
        self._pulls = [(pull.topic, name) for name, pull in graph.pull_edges().items()]
        self._subscribers = subscribers
        self.lock: BinaryIO | None = None
        """Open and locked while this process is the owner."""

    def put(self, message: Message) -> None:
        """Keep a message for its subscribers."""
        self._spool.send(message)

    def take(self) -> Iterator[tuple[str, Kept]]:
        """Yield each message once for each subscriber here; nothing where another process owns the spool."""
        if self.lock is None:
            if not self._own():
                return
            yield from self._left_behind()
        for name in names(self._folder / "new"):
            yield from self._sort(self._folder / "new" / name)

    def is_empty(self) -> bool:
        """Return whether there is nothing that this process has yet to take."""
        return self.lock is None or not names(self._folder / "new")

    def held(self) -> list[BinaryIO]:
        """Return the lock if this process has it: what a process forked from it is to close."""
        return [self.lock] if self.lock else []

    def release(self) -> None:
        """Let another process own the spool; what was taken and is not done with, it finds."""
        if self.lock is not None:
            self.lock.close()
            self.lock = None

    def _own(self) -> bool:
        file = self._folder / "lock"
        with on_disk(file):
            self._folder.mkdir(parents=True, exist_ok=True)
            opened = open(file, "wb")
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            opened.close()
            return False
        self.lock = opened
        return True

    def _left_behind(self) -> Iterator[tuple[str, Kept]]:
        """Yield what an earlier owner took and did not finish, and let go of what has waited for too long."""
        for _, subscription, subscriber in self._pushes:
            for name in names(self._folder / "push" / subscription):
                kept = self._read(self._folder / "push" / subscription / name)
                if kept and time.time() - kept.published_s > RETENTION_S:
                    log.warning(
                        "nobody came for a message", extra={"subscription": subscription, "message_id": kept.id}
                    )
                    done(kept)
                elif kept and subscriber in self._subscribers:
                    yield subscriber, kept

    def _sort(self, file: Path) -> Iterator[tuple[str, Kept]]:
        """Give a new message to each subscription of its topic, and then delete it."""
        new = self._read(file)
        if new is None:
            return
        taken = []
        content = file.read_bytes()
        for topic, subscription in self._pulls:
            if topic == new.message.topic:
                write_whole(self._folder / "pull" / subscription / file.name, content)
        for topic, subscription, subscriber in self._pushes:
            if topic == new.message.topic:
                kept = Kept(self._folder / "push" / subscription / file.name, new.message)
                write_whole(kept.file, content)
                taken.append((subscriber, kept))
        done(new)
        yield from ((subscriber, kept) for subscriber, kept in taken if subscriber in self._subscribers)

    def _read(self, file: Path) -> Kept | None:
        """Return a message; None, putting it out of the way, where it cannot be read."""
        try:
            with on_disk(file):
                return read(file)
        except Rejected as exc:
            log.error("unreadable message: %s", exc)
            aside = self._folder / "unreadable"
            with on_disk(file):
                aside.mkdir(exist_ok=True)
                os.replace(file, aside / file.name)
            return None


def done(kept: Kept) -> None:
    """Forget a message: it has been delivered, or is a dead letter."""
    with on_disk(kept.file):
        kept.file.unlink(missing_ok=True)
