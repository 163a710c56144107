"""App: the logging service: what people did, ate, slept and weighed, and what models told them."""

from collections.abc import Callable
from datetime import UTC, datetime

import flask

from services.logging import body_routes, routes
from services.logging.dashboard import PostgresDashboard
from services.logging.days import PostgresDays
from services.logging.interactions import PostgresInteractions
from services.logging.ports import Deps
from services.logging.targets import PostgresTargets
from services.logging.workouts import PostgresWorkouts
from shared.database import Database, database
from shared.http import Service, create_app
from shared.identity import Services, Users, services, users_of
from shared.log import log_to
from shared.settings import Settings

SUMMARY = "Workouts, days, targets, the dashboard, and what was asked of models."
BLUEPRINTS = (
    routes.bp,
    body_routes.daily,
    body_routes.targets,
    body_routes.dashboard,
    body_routes.interactions,
    body_routes.internal,
)


def build(settings: Settings, deps: Deps, users: Users, callers: Services, ready: Callable[[], None]) -> flask.Flask:
    """Return the app on what it is given."""
    return create_app(Service("logging", SUMMARY, deps, BLUEPRINTS, settings, users, callers, ready))


def made(pool: Database, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Deps:
    """Return what the service works with, on a database."""
    return Deps(
        workouts=PostgresWorkouts(pool, clock),
        days=PostgresDays(pool),
        targets=PostgresTargets(pool, clock),
        dashboard=PostgresDashboard(pool, clock),
        interactions=PostgresInteractions(pool, settings.interactions_kept_days),
        database=pool,
        clock=clock,
    )


def from_env() -> flask.Flask:
    """Return the app as its environment tells; connects to nothing yet."""
    settings = Settings().model_copy(update={"service": "logging"})
    log_to(None, settings.log_level)
    pool = database(settings)
    return build(settings, made(pool, settings), users_of(settings), services(settings), pool.check)
