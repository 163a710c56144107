"""Tokens: access tokens that anybody can check and that end soon; refresh tokens that are kept as hashes."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import Unauthenticated
from shared.identity import AUDIENCE, USERS_ISSUER, public_jwk

ACCESS_LIFE: Final = timedelta(minutes=10)
REFRESH_LIFE: Final = timedelta(days=30)


class TokenSigner:
    """Signs access tokens with profile's key, and shows the public half of it."""

    def __init__(self, key: Ed25519PrivateKey, clock: Callable[[], datetime]) -> None:
        self._key = key
        self._clock = clock
        self._public = public_jwk(key.public_key())

    def access(self, user_id: str) -> str:
        """Return an access token of a user."""
        now = int(self._clock().timestamp())
        claims = {"iss": USERS_ISSUER, "aud": AUDIENCE, "sub": user_id, "iat": now, "jti": uuid4().hex}
        claims |= {"exp": now + int(ACCESS_LIFE.total_seconds())}
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._public["kid"]})

    def public_key(self, key_id: str) -> Ed25519PublicKey:
        """Return the key that access tokens are checked with; raises Unauthenticated for an id that is not its."""
        if key_id != self._public["kid"]:
            raise Unauthenticated("the access token is signed with a key that is not, or no longer, ours")
        return self._key.public_key()

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys, as other services fetch them."""
        return {"keys": [self._public]}


def new_refresh_token() -> str:
    """Return a refresh token that nobody can guess."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """Return what is kept of a refresh token: it is random enough to need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
