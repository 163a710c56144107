"""Identity: who calls: a user, by profile's access token, or a service, by a signed identity with an audience.

    users       JWTs signed with EdDSA by profile, valid for minutes; checked by its public keys (JWKS)
    services    in the cloud Google's OIDC identity tokens; on this machine the same claims, signed with a key
                below OUT/keys that only this user can read

A service that acts for a user says so in X-FitSense-User, which counts only beside a service's identity.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import Rejected, Unauthenticated, Unavailable
from shared.settings import Settings

USERS_ISSUER: Final = "fitsense-profile"
LOCAL_ISSUER: Final = "fitsense-local"
AUDIENCE: Final = "fitsense"
LOCAL_LIFE_S: Final = 600
LEEWAY_S: Final = 10
REMEMBERED: Final = 4096
ASK_KEYS_EVERY_S: Final = 30.0

PublicKeys = Callable[[str], Ed25519PublicKey]
"""The key of an id; raises Unauthenticated where there is none, Unavailable where they cannot be had now."""


class Users(Protocol):
    """What knows whose access token one is."""

    def check(self, token: str) -> str:
        """Return the user's id; raises Unauthenticated."""


class Services(Protocol):
    """What signs this process's identity and checks those of others."""

    def sign(self, audience: str) -> str:
        """Return an identity token of this process for an audience."""

    def check(self, token: str, audience: str) -> str:
        """Return the name of the service, or the e-mail of its account, that signed; raises Unauthenticated."""


class AccessTokens:
    """Checks users' access tokens; those seen lately without the cost of a signature."""

    def __init__(self, keys: PublicKeys, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._clock = clock
        self._seen: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = Lock()

    def check(self, token: str) -> str:
        """Return the user's id; raises Unauthenticated."""
        seen = self._seen.get(token)
        if seen is None:
            seen = self._read(token)
            with self._lock:
                self._seen[token] = seen
                if len(self._seen) > REMEMBERED:
                    self._seen.popitem(last=False)
        user_id, until = seen
        if self._clock() > until:
            raise Unauthenticated("the access token has expired; refresh it")
        return user_id

    def _read(self, token: str) -> tuple[str, float]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            claims = jwt.decode(
                token,
                self._keys(key_id if isinstance(key_id, str) else ""),
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                issuer=USERS_ISSUER,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.ExpiredSignatureError as exc:
            raise Unauthenticated("the access token has expired; refresh it") from exc
        except (jwt.InvalidTokenError, ValueError) as exc:
            raise Unauthenticated("the access token is not one of ours") from exc
        return str(claims["sub"]), float(claims["exp"]) + LEEWAY_S


class FetchedKeys:
    """Public keys fetched from where profile shows them; again when an id is new, but not at every wrong one."""

    def __init__(self, fetch: Callable[[], Mapping[str, Any]]) -> None:
        self._fetch = fetch
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._asked_at = -ASK_KEYS_EVERY_S
        self._lock = Lock()

    def __call__(self, key_id: str) -> Ed25519PublicKey:
        """Return the key of an id."""
        if key_id not in self._keys:
            with self._lock:
                if key_id not in self._keys and time.monotonic() - self._asked_at >= ASK_KEYS_EVERY_S:
                    self._keys = public_keys(self._fetch())
                    self._asked_at = time.monotonic()
        if key_id not in self._keys:
            raise Unauthenticated("the access token is signed with a key that is not, or no longer, ours")
        return self._keys[key_id]


class LocalServices:
    """Identities on this machine: one key, which whoever may read the stack's directory can sign with."""

    def __init__(self, service: str, key: Ed25519PrivateKey) -> None:
        self._service = service
        self._key = key

    def sign(self, audience: str) -> str:
        """Return an identity token of this process for an audience."""
        now = int(time.time())
        claims = {"iss": LOCAL_ISSUER, "sub": self._service, "aud": audience, "iat": now, "exp": now + LOCAL_LIFE_S}
        return jwt.encode(claims, self._key, algorithm="EdDSA")

    def check(self, token: str, audience: str) -> str:
        """Return the name of the service that signed; raises Unauthenticated."""
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["EdDSA"],
                audience=audience,
                issuer=LOCAL_ISSUER,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub"]},
            )
        except (jwt.InvalidTokenError, ValueError) as exc:
            raise Unauthenticated("the caller's identity is not one of this stack's, or not for this service") from exc
        return str(claims["sub"])


class GoogleServices:
    """Identities in the cloud: tokens of Google's, from the accounts that may call."""

    def __init__(self, accounts: frozenset[str]) -> None:
        self._accounts = accounts
        self._signed: dict[str, tuple[str, float]] = {}
        self._lock = Lock()

    def sign(self, audience: str) -> str:
        """Return an identity token of this process's account, from the metadata server."""
        import google.auth.transport.requests
        from google.auth.exceptions import GoogleAuthError
        from google.oauth2 import id_token

        fetch: Callable[..., Any] = id_token.fetch_id_token
        with self._lock:
            token, until = self._signed.get(audience, ("", 0.0))
            if time.time() > until:
                try:
                    token = str(fetch(google.auth.transport.requests.Request(), audience))
                except GoogleAuthError as exc:
                    raise Unavailable(f"no identity token for {audience}: {exc}") from exc
                until = float(jwt.decode(token, options={"verify_signature": False})["exp"]) - 60
                self._signed[audience] = (token, until)
            return token

    def check(self, token: str, audience: str) -> str:
        """Return the e-mail of the account that signed; raises Unauthenticated."""
        import google.auth.transport.requests
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.oauth2 import id_token

        verify: Callable[..., Any] = id_token.verify_oauth2_token
        try:
            claims: Mapping[str, Any] = verify(token, google.auth.transport.requests.Request(), audience)
        except TransportError as exc:
            raise Unavailable(f"Google's public keys cannot be had: {exc}") from exc
        except (GoogleAuthError, ValueError) as exc:
            raise Unauthenticated("the caller's identity is not Google's, or not for this service") from exc
        account = str(claims.get("email", ""))
        if account not in self._accounts or not claims.get("email_verified"):
            raise Unauthenticated(f"{account or 'the caller'} may not call this service")
        return account


def users_of(settings: Settings) -> Users:
    """Return what checks access tokens in a service: by profile's public keys, fetched where it shows them."""

    def fetch() -> Mapping[str, Any]:
        try:
            answer = httpx.get(settings.users_url, timeout=5, trust_env=False).raise_for_status()
            found: Mapping[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise Unavailable("profile's public keys cannot be had; try again shortly") from exc
        return found

    return AccessTokens(FetchedKeys(fetch))


def services(settings: Settings) -> Services:
    """Return the identities of services on this process's stack."""
    if settings.stack == "gcp":
        return GoogleServices(frozenset(one.strip() for one in settings.service_accounts.split(",") if one.strip()))
    return LocalServices(settings.service, local_key(keys_folder(settings) / "services.pem"))


def keys_folder(settings: Settings) -> Path:
    """Return where this machine's keys lie."""
    return settings.keys or settings.out.absolute() / "keys"


def local_key(file: Path) -> Ed25519PrivateKey:
    """Return the key in a file, made when there is none; whoever comes first makes it."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = file.with_name(f"{file.name}.{os.getpid()}.{time.monotonic_ns()}")
        made.touch(mode=0o600)
        made.write_bytes(
            Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        try:
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return private_key(file.read_bytes())


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Return a private key from PEM; raises Rejected where it is not one for EdDSA."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as exc:
        raise Rejected("the signing key cannot be read: it has to be PEM, without a password") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise Rejected("the signing key is not an Ed25519 key")
    return key


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """Return a public key as JSON Web Key; its id is a digest of itself."""
    jwk: dict[str, str] = jwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True)
    return {"kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "kid": jwk["x"][:16], "use": "sig", "alg": "EdDSA"}


def public_keys(document: Mapping[str, Any]) -> dict[str, Ed25519PublicKey]:
    """Return the keys of a JWKS document by id; those of other kinds are passed over."""
    found: dict[str, Ed25519PublicKey] = {}
    for one in document.get("keys", ()):
        if isinstance(one, Mapping) and one.get("crv") == "Ed25519" and isinstance(one.get("kid"), str):
            key = jwt.algorithms.OKPAlgorithm.from_jwk(dict(one))
            if isinstance(key, Ed25519PublicKey):
                found[one["kid"]] = key
    return found
