"""Cache: answers by the content of the request, so that nothing is paid for twice.

The key is the sha256 of the endpoint and the request body: model, sampling, response format and
messages. An entry is created the moment its answer arrives, and never changed.
"""

import hashlib
from typing import Protocol

from pydantic import ValidationError

from shared.errors import NotFound
from shared.frozen import Frozen
from shared.records import FinishReason


class CachedReply(Frozen):
    """An answer as it was paid for."""

    text: str
    model: str
    request_id: str | None
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    """Failed attempts included; 0 where another run paid."""
    latency_ms: float
    attempts: int
    paid_by: str = ""
    """The run that asked."""


class Cache(Protocol):
    """Answers by key; used from several threads at once."""

    def get(self, key: str) -> CachedReply | None:
        """Return the answer under a key, if there is one."""

    def put(self, key: str, reply: CachedReply) -> None:
        """Keep an answer, unless there is one under its key."""


class Blobs(Protocol):
    """As much of an artifact store as a cache needs."""

    def read(self, name: str) -> bytes:
        """Return a blob whole; raises NotFound."""

    def create(self, name: str, data: bytes, durable: bool = True) -> bool:
        """Create a blob unless it exists; return whether it was created."""


class StoredCache:
    """A run's access to the cache in the artifact store, at `cache/teacher/<first two digits>/<key>.json`."""

    def __init__(self, blobs: Blobs, run_id: str) -> None:
        self._blobs = blobs
        self._run_id = run_id

    def get(self, key: str) -> CachedReply | None:
        """Return the stored answer; one that cannot be read counts as none."""
        try:
            found = CachedReply.model_validate_json(self._blobs.read(_name(key)))
        except (NotFound, ValidationError):
            return None
        return found if found.paid_by == self._run_id else found.model_copy(update={"cost_usd": 0.0})

    def put(self, key: str, reply: CachedReply) -> None:
        """Store an answer; of two that race, the first stays."""
        paid = reply.model_copy(update={"paid_by": self._run_id})
        # Not durable: what a power failure loses is asked again, and waiting for the disk holds up the next request.
        self._blobs.create(_name(key), paid.model_dump_json().encode(), durable=False)


def cache_key(base_url: str, body: bytes) -> str:
    """Return what an answer of this endpoint to this request body is kept under."""
    return hashlib.sha256(base_url.encode() + b"\n" + body).hexdigest()


def _name(key: str) -> str:
    return f"cache/teacher/{key[:2]}/{key}.json"
