"""Clients: Google's client libraries as this project sets them up, and what their errors mean to a caller.

Where they connect to they read from the environment themselves. They are made once per process and
after any fork, because neither gRPC channels nor connection pools survive one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten

import google.cloud.pubsub_v1 as pubsub
import google.cloud.storage as gcs
import requests
from google.api_core.exceptions import (
    Aborted,
    BadRequest,
    Cancelled,
    DeadlineExceeded,
    GoogleAPICallError,
    GoogleAPIError,
    InternalServerError,
    InvalidArgument,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
    Unknown,
)
from google.api_core.retry import if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from shared.errors import Rejected, Unavailable

PUBLISH_LATENCY_S = 0.005
"""How long an event waits for others to travel with."""

LONGEST_REASON = 300

TRANSIENT = if_exception_type(
    Aborted, Cancelled, DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable, Unknown
)
"""What Pub/Sub and Firestore answer while they restart, move or are busy; the same request may succeed in a moment."""

FAILURES = (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, requests.RequestException, OSError)
"""Everything that the libraries raise when a service cannot be reached, denies, or answers nonsense."""


def storage_client(project: str) -> gcs.Client:
    """Return a client of Cloud Storage; raises Unavailable where there are no credentials."""
    with unavailable("Cloud Storage"):
        return gcs.Client(project=project)


def firestore_client(project: str) -> firestore.Client:
    """Return a client of Firestore; raises Unavailable where there are no credentials."""
    with unavailable("Firestore"):
        return firestore.Client(project=project)


def publisher() -> pubsub.PublisherClient:
    """Return a client that publishes to Pub/Sub; raises Unavailable where there are no credentials."""
    with unavailable("Pub/Sub"):
        return pubsub.PublisherClient(pubsub.types.BatchSettings(max_latency=PUBLISH_LATENCY_S))


def subscriber() -> pubsub.SubscriberClient:
    """Return a client that asks Pub/Sub for messages; raises Unavailable where there are no credentials."""
    with unavailable("Pub/Sub"):
        return pubsub.SubscriberClient()


@contextmanager
def unavailable(what: str) -> Iterator[None]:
    """Turn a client's failure into Unavailable, or into Rejected where the service finds the request itself wrong."""
    try:
        yield
    except FAILURES as exc:
        wrong = isinstance(exc, InvalidArgument) or type(exc) is BadRequest
        raise (Rejected if wrong else Unavailable)(f"{what}: {_reason(exc)}") from exc


def status(exc: Exception) -> int | None:
    """Return the HTTP status that a client's error stands for, if it does."""
    if isinstance(exc, InvalidResponse):
        return int(exc.response.status_code)
    return int(exc.code) if isinstance(exc, GoogleAPICallError) and exc.code is not None else None


def _reason(exc: Exception) -> str:
    """Return what went wrong in a line; of a retry that gave up, what it could not overcome."""
    last = exc.cause if isinstance(exc, RetryError) else exc
    text = f"{last.response.status_code} {last.response.text}" if isinstance(last, InvalidResponse) else str(last)
    return shorten(text or type(last).__name__, LONGEST_REASON, placeholder="…")
