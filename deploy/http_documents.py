"""HTTP documents: the OpenAPI document of each service, made of its routes without anything behind them."""

from typing import Final, NoReturn

import flask

from services.inference_router import openapi as router_openapi
from services.logging import app as logging_app
from services.plan import app as plan_app
from services.profile import app as profile_app
from shared.errors import Unavailable
from shared.http import Service, create_app
from shared.openapi import Json, document, title_of
from shared.settings import Settings

SERVICES: Final[dict[str, tuple[str, tuple[flask.Blueprint, ...]]]] = {
    "profile": (profile_app.SUMMARY, profile_app.BLUEPRINTS),
    "plan": (plan_app.SUMMARY, plan_app.BLUEPRINTS),
    "logging": (logging_app.SUMMARY, logging_app.BLUEPRINTS),
}

ROUTER: Final = "http/inference-router.json"


class _Nobody:
    """Identities where nobody calls: a document says what is asked of callers, and asks nobody."""

    def check(self, token: str, audience: str = "") -> NoReturn:
        raise Unavailable("nothing is served here")

    def sign(self, audience: str) -> NoReturn:
        raise Unavailable("nothing is served here")


def http_documents() -> dict[str, Json]:
    """Return each service's document, by its path below schemas/."""
    flask_apps = {f"http/{name}.json": _document(name, *parts) for name, parts in SERVICES.items()}
    return flask_apps | {ROUTER: router_openapi.document()}


def _document(name: str, summary: str, blueprints: tuple[flask.Blueprint, ...]) -> Json:
    nobody = _Nobody()
    settings = Settings(service=name)
    service = Service(name, summary, None, blueprints, settings, nobody, nobody, lambda: None)
    return document(create_app(service), title_of(name), summary)
