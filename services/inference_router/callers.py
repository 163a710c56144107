"""Callers: who sends a request, by the bearer token in it.

An API key is one caller and one user. A service speaks for its users: only a service's identity makes the header
X-FitSense-User count, so nobody who holds a key can wait, or be recorded, as somebody else.
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from services.inference_router.api_errors import ApiError, unavailable
from shared.errors import Unauthenticated, Unavailable
from shared.identity import Services

REMEMBERED: Final = 1000
REMEMBERED_S: Final = 60.0
"""An identity that was checked is taken for so long without a check: a token outlives itself by that at most."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str
    admin: bool = False
    speaks_for_users: bool = False


class Callers(Protocol):
    """Knows tokens."""

    async def identify(self, token: str) -> Caller | None:
        """Return whose token it is, or None where it is nobody's here; raises Unavailable."""


class ApiKeys:
    """Keys by name; a name that begins with `admin` is an admin's."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        # Looked up by digest, so that how long a lookup takes tells nothing of a key.
        self._callers = {_digest(key): Caller(f"key:{name}", name.startswith("admin")) for name, key in keys.items()}

    async def identify(self, token: str) -> Caller | None:
        """Look a key up."""
        return self._callers.get(_digest(token))


class Identities:
    """Identities of services, each checked once a minute: checking takes a thread, and in the cloud a call."""

    def __init__(self, services: Services, audiences: tuple[str, ...]) -> None:
        self._services = services
        self._audiences = audiences
        self._known: dict[bytes, tuple[Caller, float]] = {}

    async def identify(self, token: str) -> Caller | None:
        """Check a token that looks like an identity."""
        if token.count(".") != 2:
            return None
        digest = _digest(token)
        found, until = self._known.get(digest, (None, 0.0))
        if found is None or time.monotonic() > until:
            found = await asyncio.to_thread(self._check, token)
            if found:
                self._remember(digest, found)
        return found

    def _check(self, token: str) -> Caller | None:
        for audience in self._audiences:
            try:
                return Caller(self._services.check(token, audience), speaks_for_users=True)
            except Unauthenticated:
                continue
        return None

    def _remember(self, digest: bytes, caller: Caller) -> None:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[digest] = (caller, time.monotonic() + REMEMBERED_S)


async def authenticate(known: tuple[Callers, ...], authorization: str) -> Caller:
    """Return the caller that an Authorization header names; raises ApiError: 401, or 503 where nobody can tell."""
    scheme, _, token = authorization.partition(" ")
    try:
        if scheme.lower() == "bearer" and token:
            for callers in known:
                if caller := await callers.identify(token.strip()):
                    return caller
    except Unavailable as exc:
        raise unavailable("identity_unavailable", str(exc), 2) from exc
    raise ApiError(
        401,
        "invalid_api_key",
        "an API key or a service's identity is needed: Authorization: Bearer ...",
        headers={"www-authenticate": "Bearer"},
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
