"""Ports: what the logging service needs from outside, as one typed value that views read from the app."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import flask

from services.logging.dashboard import PostgresDashboard
from services.logging.days import PostgresDays
from services.logging.interactions import PostgresInteractions
from services.logging.targets import PostgresTargets
from services.logging.workouts import PostgresWorkouts
from shared.database import Database
from shared.http import DEPS


@dataclass(frozen=True, slots=True)
class Deps:
    """What the service works with."""

    workouts: PostgresWorkouts
    days: PostgresDays
    targets: PostgresTargets
    dashboard: PostgresDashboard
    interactions: PostgresInteractions
    database: Database
    clock: Callable[[], datetime]


def deps() -> Deps:
    """Return what this app was made with."""
    found: Deps = flask.current_app.extensions[DEPS]
    return found
