"""App: the profile service: who there is, who they are, and what there is to train with."""

from collections.abc import Callable
from datetime import UTC, datetime

import flask
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.profile import catalogue, routes
from services.profile.accounts import PostgresAccounts
from services.profile.clients import HttpOthers
from services.profile.passwords import Passwords
from services.profile.ports import Deps
from services.profile.profiles import PostgresProfiles
from services.profile.tokens import TokenSigner
from shared.database import Database, database
from shared.http import Service, create_app, current_span, request_id
from shared.identity import AccessTokens, Services, keys_folder, local_key, private_key, services
from shared.log import log_to
from shared.settings import Settings
from shared.telemetry import outgoing

SUMMARY = "Accounts, what a coach has to know of a person, and the catalogue."
BLUEPRINTS = (routes.auth, routes.me, routes.profile, routes.internal, catalogue.bp)


def build(settings: Settings, deps: Deps, callers: Services, ready: Callable[[], None]) -> flask.Flask:
    """Return the app on what it is given; it checks access tokens by its own key."""
    users = AccessTokens(deps.signer.public_key)
    return create_app(Service("profile", SUMMARY, deps, BLUEPRINTS, settings, users, callers, ready))


def made(
    pool: Database,
    settings: Settings,
    callers: Services,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    passwords: Passwords | None = None,
) -> Deps:
    """Return what the service works with, on a database."""
    signer = TokenSigner(signing_key(settings), clock)
    parts = {
        "plan": f"{settings.plan_url}/internal/users/{{user_id}}/plans",
        "logging": f"{settings.logging_url}/internal/users/{{user_id}}/export",
    }
    return Deps(
        accounts=PostgresAccounts(pool, passwords or Passwords(), signer, clock),
        profiles=PostgresProfiles(pool, clock),
        others=HttpOthers(parts, callers.sign, lambda: outgoing(request_id(), current_span())),
        signer=signer,
    )


def from_env() -> flask.Flask:
    """Return the app as its environment tells; connects to nothing yet."""
    settings = Settings().model_copy(update={"service": "profile"})
    log_to(None, settings.log_level)
    pool, callers = database(settings), services(settings)
    return build(settings, made(pool, settings, callers), callers, pool.check)


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """Return the key that signs access tokens: a secret of the cloud, or this machine's own."""
    if settings.signing_key:
        return private_key(settings.signing_key.encode())
    return local_key(keys_folder(settings) / "users.pem")
