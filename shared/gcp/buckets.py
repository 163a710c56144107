"""Buckets: what the artifact bucket and the config bucket have in common."""

import mimetypes
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import google.cloud.storage as gcs
from google.api_core.retry import Retry
from google.cloud.storage.retry import DEFAULT_RETRY

from shared.errors import NotFound
from shared.gcp.clients import FAILURES, status, unavailable

PATIENCE_S = 60
ABSENT = 0
"""The generation of an object that does not exist."""
NOT_FOUND, PRECONDITION_FAILED = 404, 412


def patient(patience_s: float) -> Retry:
    """Return how a request is repeated while Cloud Storage is away or busy."""
    retry: Retry = DEFAULT_RETRY.with_delay(initial=0.1, maximum=5, multiplier=2).with_timeout(patience_s)
    return retry


def reaching(bucket: gcs.Bucket, name: str) -> AbstractContextManager[None]:
    """Turn a failure to reach an object into Unavailable."""
    return unavailable(f"object {name!r} of bucket {bucket.name}")


@contextmanager
def found(bucket: gcs.Bucket, what: str) -> Iterator[None]:
    """Turn the answer that an object does not exist into NotFound; where its bucket does not, that stays a failure."""
    try:
        yield
    except FAILURES as exc:
        if status(exc) != NOT_FOUND:
            raise
        list(bucket.client.list_blobs(bucket, max_results=1))
        raise NotFound(f"there is no {what}") from exc


def content_type(name: str) -> str:
    """Return what a browser should take an object for, by its name."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
