"""Lease: one holder of a key at a time, among all processes of a stack.

Pub/Sub delivers a message again when its handler takes longer than the ack deadline, while the first
handler is still at work. Artifacts make that harmless; a lease makes it cheap, as the second delivery
waits for the first instead of doing the same work beside it.

A lease is the document `leases/<key>`. Its holder renews it from a thread. One that has not changed
for the lease time, by the clock of whoever waits, is a dead process's and is taken over by
compare-and-set; clocks of two machines are never compared.
"""

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, TypeGuard

from shared.documents import Data, Document, Documents
from shared.errors import Unavailable

log = logging.getLogger("fitsense.lease")

RENEWALS_PER_LEASE = 4
LOOKS_PER_LEASE = 20


class Leases(Protocol):
    """Who may work on what."""

    def held(self, key: str) -> AbstractContextManager[None]:
        """Hold a key while the body runs, after waiting for whoever holds it.

        Raises Unavailable where the wait is too long or the leases cannot be reached.
        """


class NoLeases:
    """For a stack that never has the same message under way twice."""

    def held(self, key: str) -> AbstractContextManager[None]:
        """Hold nothing."""
        del key
        return nullcontext()


class DocumentLeases:
    """Leases in the document store; they last `lease_s` unrenewed, and are waited for up to `wait_s`."""

    def __init__(self, documents: Documents, lease_s: float, wait_s: float) -> None:
        self._documents = documents
        self._lease_s = lease_s
        self._wait_s = wait_s

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        """Take the lease, renew it while the body runs, and give it back however that ends."""
        path, holder = f"leases/{key}", uuid.uuid4().hex
        self._take(path, holder)
        over = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(path, holder, over), name=f"lease {key}", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            over.set()
            renewing.join()
            self._give_back(path, holder)

    def _take(self, path: str, holder: str) -> None:
        began = unchanged_since = time.monotonic()
        seen: Document | None = None
        while seen or not self._documents.create(path, _lease(holder, 0)):
            now, found = time.monotonic(), self._documents.get(path)
            if found is None or seen is None or found.version != seen.version:
                seen, unchanged_since = found, now
            elif now - unchanged_since > self._lease_s and self._documents.replace(seen, _lease(holder, 0)):
                log.warning("took over a lease whose holder died", extra={"lease": path})
                return
            if now - began > self._wait_s:
                raise Unavailable(f"{path} has been held by another process for {self._wait_s:g} s")
            if found:
                time.sleep(self._lease_s / LOOKS_PER_LEASE)

    def _renew(self, path: str, holder: str, over: threading.Event) -> None:
        renewals = 0
        while not over.wait(self._lease_s / RENEWALS_PER_LEASE):
            renewals += 1
            try:
                seen = self._documents.get(path)
                if not (_is_held_by(seen, holder) and self._documents.replace(seen, _lease(holder, renewals))):
                    log.warning("lost a lease, because it was not renewed in time", extra={"lease": path})
                    return
            except Unavailable as exc:
                log.warning("could not renew a lease: %s", exc, extra={"lease": path})

    def _give_back(self, path: str, holder: str) -> None:
        """Delete the lease. Where that fails the work is still done, and the lease runs out by itself."""
        try:
            seen = self._documents.get(path)
            if _is_held_by(seen, holder):
                self._documents.discard(seen)
        except Unavailable as exc:
            log.warning("could not give a lease back: %s", exc, extra={"lease": path})


def _lease(holder: str, renewals: int) -> Data:
    return {"holder": holder, "renewals": renewals}


def _is_held_by(lease: Document | None, holder: str) -> TypeGuard[Document]:
    return lease is not None and lease.data["holder"] == holder
