"""App: the plan service: plans, changes, the coach, and the jobs behind them.

    python -m granian --interface wsgi --factory services.plan.app:from_env

What it is told by its environment stands in shared/settings.py.
"""

from collections.abc import Mapping
from typing import Any

import flask
import httpx

from services.plan import changes, coach, internal, plans
from services.plan.clients import HttpPeople
from services.plan.deps import Deps, made
from services.plan.model_client import ModelClient, Patience
from shared.database import database
from shared.errors import Unavailable
from shared.http import Service, create_app, current_span, request_id
from shared.identity import AccessTokens, FetchedKeys, Services, Users, services
from shared.runtime import runtime
from shared.settings import Settings
from shared.telemetry import outgoing

SUMMARY = "Plans: made by a model or the rule-based coach, changed by edits with reasons, adapted to the log."
BLUEPRINTS = (plans.bp, changes.bp, coach.bp, internal.bp)


def app(deps: Deps, settings: Settings, known_users: Users, known_services: Services) -> flask.Flask:
    """Return the service on what it works with."""
    return create_app(
        Service(
            name="plan",
            summary=SUMMARY,
            deps=deps,
            blueprints=BLUEPRINTS,
            settings=settings,
            users=known_users,
            services=known_services,
            ready=deps.database.check,
        )
    )


def from_env() -> flask.Flask:
    """Return the service as its environment says."""
    current = runtime()
    settings = current.settings
    identities = services(settings)
    people = HttpPeople(settings.profile_url, settings.logging_url, identities.sign, _outgoing)
    model = None
    if settings.router_url:
        patience = Patience(
            first_words_s=settings.model_first_words_s,
            between_words_s=settings.model_between_words_s,
            total_s=settings.model_total_s,
        )
        model = ModelClient(settings.router_url, lambda: identities.sign("inference-router"), patience)
    deps = made(database(settings), people, model, current.bus)
    return app(deps, settings, _users(settings), identities)


def _users(settings: Settings) -> Users:
    """Return what checks access tokens: profile's public keys, fetched where it shows them."""

    def fetch() -> Mapping[str, Any]:
        try:
            answer = httpx.get(settings.users_url, timeout=5, trust_env=False).raise_for_status()
            found: Mapping[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise Unavailable("profile's public keys cannot be had; try again shortly") from exc
        return found

    return AccessTokens(FetchedKeys(fetch))


def _outgoing() -> dict[str, str]:
    if not flask.has_request_context():
        return {}
    return outgoing(request_id(), current_span())
