"""App: the plan service: plans, changes, the coach, and the jobs behind them."""

from collections.abc import Callable

import flask

from services.plan import changes, coach, internal, plans
from services.plan.clients import HttpPeople
from services.plan.deps import Deps, made
from services.plan.model_client import ModelClient, Patience
from shared.database import database
from shared.http import Service, create_app, current_span, request_id
from shared.identity import Services, Users, services, users_of
from shared.runtime import runtime
from shared.settings import Settings
from shared.telemetry import outgoing

SUMMARY = "Plans: made by a model or the rule-based coach, changed by edits with reasons, adapted to the log."
BLUEPRINTS = (plans.bp, changes.bp, coach.bp, internal.bp)


def build(settings: Settings, deps: Deps, users: Users, callers: Services, ready: Callable[[], None]) -> flask.Flask:
    """Return the app on what it is given."""
    return create_app(Service("plan", SUMMARY, deps, BLUEPRINTS, settings, users, callers, ready))


def from_env() -> flask.Flask:
    """Return the app as its environment tells; connects to nothing yet."""
    current = runtime()
    settings = current.settings.model_copy(update={"service": "plan"})
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
    pool = database(settings)
    return build(settings, made(pool, people, model, current.bus), users_of(settings), identities, pool.check)


def _outgoing() -> dict[str, str]:
    if not flask.has_request_context():
        return {}
    return outgoing(request_id(), current_span())
