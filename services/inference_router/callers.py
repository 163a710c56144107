"""Callers: who sends a request, by the bearer token in it.

An API key is one caller and one user. A service speaks for its users: only a service's identity makes the header
X-FitSense-User count, so nobody who holds a key can wait, or be recorded, as somebody else.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.inference_router.api_errors import ApiError


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str
    admin: bool = False
    speaks_for_users: bool = False


class Callers(Protocol):
    """Knows tokens."""

    def identify(self, token: str) -> Caller | None:
        """Return whose token it is, or None where it is nobody's here."""


class ApiKeys:
    """Keys by name; a name that begins with `admin` is an admin's."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        # Looked up by digest, so that how long a lookup takes tells nothing of a key.
        self._callers = {_digest(key): Caller(f"key:{name}", name.startswith("admin")) for name, key in keys.items()}

    def identify(self, token: str) -> Caller | None:
        """Look a key up."""
        return self._callers.get(_digest(token))


def authenticate(known: tuple[Callers, ...], authorization: str) -> Caller:
    """Return the caller that an Authorization header names; raises ApiError 401."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and token:
        for callers in known:
            if caller := callers.identify(token.strip()):
                return caller
    raise ApiError(
        401,
        "invalid_api_key",
        "an API key or a service's identity is needed: Authorization: Bearer ...",
        headers={"www-authenticate": "Bearer"},
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
