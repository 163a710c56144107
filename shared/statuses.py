"""Statuses: what each kind of error is in HTTP, for functions and services alike."""

from shared.errors import (
    Conflict,
    FitsenseError,
    Forbidden,
    InvalidFields,
    NotFound,
    Precondition,
    Rejected,
    Stale,
    Stopped,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

STATUSES: dict[type[FitsenseError], tuple[int, str]] = {
    Rejected: (400, "rejected"),
    InvalidFields: (400, "invalid_fields"),
    Unauthenticated: (401, "unauthenticated"),
    Forbidden: (403, "forbidden"),
    NotFound: (404, "not_found"),
    Conflict: (409, "conflict"),
    Stale: (412, "stale"),
    TooLarge: (413, "too_large"),
    Precondition: (428, "precondition_required"),
    Throttled: (429, "throttled"),
    Unavailable: (503, "unavailable"),
    Stopped: (409, "stopped"),
}
RETRY_AFTER_S = 2
"""What clients are told to wait for a dependency that is down."""


def status_of(exc: FitsenseError) -> tuple[int, str]:
    """Return the status of an error and its code in the body: those of the nearest kind in the tree."""
    return next((STATUSES[kind] for kind in type(exc).__mro__ if kind in STATUSES), (500, "internal"))
