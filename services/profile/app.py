"""App: the profile service: who there is, who they are, and what there is to train with."""

from collections.abc import Callable

import flask

from services.profile import routes
from services.profile.ports import Deps
from services.profile.repository import PostgresAccounts
from shared.database import database
from shared.http import Service, create_app
from shared.identity import AccessTokens, Services, Users, keys_folder, local_key, services
from shared.log import log_to
from shared.settings import Settings

SUMMARY = "Accounts, what a coach has to know of a person, and the catalogue."


def build(settings: Settings, deps: Deps, users: Users, callers: Services, ready: Callable[[], None]) -> flask.Flask:
    """Return the app on what it is given."""
    return create_app(Service("profile", SUMMARY, deps, (routes.bp,), settings, users, callers, ready))


def from_env() -> flask.Flask:
    """Return the app as its environment tells; connects to nothing yet."""
    settings = Settings().model_copy(update={"service": "profile"})
    log_to(None, settings.log_level)
    pool = database(settings)
    key = local_key(keys_folder(settings) / "users.pem").public_key()
    deps = Deps(accounts=PostgresAccounts(pool))
    return build(settings, deps, AccessTokens(lambda _: key), services(settings), pool.check)
