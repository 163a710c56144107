"""HTTP: what every service has: errors, request ids, limits, headers, health, metrics, its OpenAPI document.

    app = create_app(Service("profile", "Who a plan is for.", deps, (accounts.bp, me.bp), settings, ...))

Errors are answered by one body, {"error": {"code", "message", "request_id"}}, with `fields` where fields are
wrong, by the table in shared/statuses.py. What a bug says stays in the log. Views are made by
shared/endpoints.py; `deps` is what a service's own `ports.py` reads from the app.
"""

import logging
import math
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import flask
import orjson
from opentelemetry.trace import Span, Status, StatusCode
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from shared.browse import page
from shared.endpoints import IDENTITY, Access
from shared.errors import FitsenseError, InvalidFields, Throttled, Unavailable
from shared.identity import Services, Users
from shared.limits import RateLimit
from shared.openapi import document, title_of
from shared.settings import Settings
from shared.statuses import RETRY_AFTER_S, status_of
from shared.telemetry import Telemetry, telemetry

DEPS: Final = "fitsense.deps"
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
OWN_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cache-Control": "no-store",
}
CORS_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-Id"
CORS_SHOWN: Final = "ETag, Retry-After, X-Request-Id"

log = logging.getLogger("fitsense.http")


class DayConverter(BaseConverter):
    """A day in a path."""

    regex = r"\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True, slots=True)
class Service:
    """What an app is made of."""

    name: str
    summary: str
    deps: object
    blueprints: tuple[flask.Blueprint, ...]
    settings: Settings
    users: Users
    services: Services
    ready: Callable[[], None]
    """Raises Unavailable as long as the service could not do its work."""
    telemetry: Telemetry | None = None


def create_app(service: Service) -> flask.Flask:
    """Return a service as a Flask app."""
    settings = service.settings
    # Its own folder is told, for Flask would look for a module of the name: `profile` and `logging` are Python's.
    app = flask.Flask(service.name, static_folder=None, root_path=str(Path(__file__).parent))
    app.config["MAX_CONTENT_LENGTH"] = settings.body_bytes
    app.url_map.strict_slashes = False
    app.url_map.converters["day"] = DayConverter
    app.extensions[DEPS] = service.deps
    app.extensions[IDENTITY] = Access(
        service.users,
        service.services,
        settings.audience or service.name,
        RateLimit(settings.rate_per_user),
        pushes_are_signed=settings.stack != "emulators",
    )
    for blueprint in service.blueprints:
        app.register_blueprint(blueprint)
    around = _Around(settings, service.telemetry or telemetry(service.name, settings.traces_url))
    app.before_request(around.begin)
    app.after_request(around.end)
    app.register_error_handler(FitsenseError, refuse)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(500, _crash)
    _own_routes(app, service, around.telemetry)
    return app


def request_id() -> str:
    """Return the id of the request that is being answered."""
    return str(flask.g.get("request_id", ""))


def client_address() -> str:
    """Return the address of the client of the request that is being answered."""
    return str(flask.g.get("address", "-"))


def current_span() -> Span | None:
    """Return the span of the request that is being answered, where traces are made."""
    span: Span | None = flask.g.get("span")
    return span


def refuse(exc: FitsenseError) -> flask.Response:
    """Return an error as an answer."""
    status, code = status_of(exc)
    if status == 500:
        log.error("a bug", exc_info=exc, extra={"request_id": request_id()})
        return _crash(exc)
    headers = {}
    if isinstance(exc, Throttled):
        headers["Retry-After"] = str(max(1, math.ceil(exc.retry_after_s)))
    if isinstance(exc, Unavailable):
        log.warning("unavailable", extra={"error": str(exc), "request_id": request_id()})
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _error(status, code, str(exc), exc.fields if isinstance(exc, InvalidFields) else (), headers)


class _Around:
    """What happens before and after each request."""

    def __init__(self, settings: Settings, measured: Telemetry) -> None:
        self.telemetry = measured
        self._proxies = settings.trusted_proxies
        self._per_address = RateLimit(settings.rate_per_address)
        self._origins = frozenset(one.strip() for one in settings.cors_origins.split(",") if one.strip())

    def begin(self) -> flask.Response | None:
        request, g = flask.request, flask.g
        g.began = time.perf_counter()
        sent = request.headers.get("X-Request-Id", "")
        g.request_id = sent if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        if request.path in OWN_PATHS:
            return None
        if self.telemetry.tracer is not None:
            headers = {name.lower(): value for name, value in request.headers}
            g.span = self.telemetry.begin(f"{request.method} {request.url_rule or '-'}", headers)
        g.address = self._address(request)
        self._per_address.take(g.address)
        if request.method == "OPTIONS" and request.headers.get("Origin") in self._origins:
            return flask.Response(status=204)
        return None

    def end(self, response: flask.Response) -> flask.Response:
        request, g, headers = flask.request, flask.g, response.headers
        for name, value in SECURITY.items():
            if name not in headers:
                headers[name] = value
        headers["X-Request-Id"] = g.request_id
        origin = request.headers.get("Origin")
        if origin and origin in self._origins:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
            headers["Access-Control-Allow-Headers"] = CORS_HEADERS
            headers["Access-Control-Expose-Headers"] = CORS_SHOWN
            headers["Access-Control-Max-Age"] = "600"
        if self._origins:
            headers["Vary"] = "Origin"
        route = request.url_rule.rule if request.url_rule else "-"
        self.telemetry.count(route, request.method, response.status_code, time.perf_counter() - g.began)
        span: Span | None = g.get("span")
        if span is not None:
            _finish(span, response)
        return response

    def _address(self, request: flask.Request) -> str:
        """Return the client's address, as the nearest of our proxies saw it; what clients write there counts not."""
        if self._proxies:
            forwarded = request.headers.get("X-Forwarded-For", "").split(",")
            return forwarded[-min(self._proxies, len(forwarded))].strip()
        return request.remote_addr or "-"


def _finish(span: Span, response: flask.Response) -> None:
    span.set_attribute("http.response.status_code", response.status_code)
    if response.status_code >= 500:
        span.set_status(Status(StatusCode.ERROR))
    response.call_on_close(span.end)


def _own_routes(app: flask.Flask, service: Service, measured: Telemetry) -> None:
    text: list[bytes] = []

    def healthz() -> flask.Response:
        return _json({"status": "alive", "service": service.name})

    def readyz() -> flask.Response:
        service.ready()
        return _json({"status": "ready", "service": service.name})

    def metrics() -> flask.Response:
        return flask.Response(measured.text(), mimetype="text/plain; version=0.0.4")

    def openapi() -> flask.Response:
        if not text:
            text.append(orjson.dumps(document(app, title_of(service.name), service.summary)))
        return flask.Response(text[0], mimetype="application/json")

    def docs() -> flask.Response:
        return page(document(app, title_of(service.name), service.summary))

    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
    app.add_url_rule("/metrics", view_func=metrics)
    app.add_url_rule(f"/v1/openapi/{service.name}.json", view_func=openapi)
    app.add_url_rule(f"/v1/docs/{service.name}", view_func=docs)


def _http_error(exc: HTTPException) -> flask.Response:
    code = exc.name.lower().replace(" ", "_")
    headers = {name: value for name, value in exc.get_headers() if name == "Allow"}
    return _error(exc.code or 500, code, exc.description or exc.name, (), headers)


def _crash(exc: Exception) -> flask.Response:
    del exc  # Flask has logged it with its traceback
    return _error(500, "internal", "something is broken here; the log says what, under this request's id", (), {})


def _error(
    status: int, code: str, message: str, fields: tuple[tuple[str, str], ...], headers: dict[str, str]
) -> flask.Response:
    error: dict[str, Any] = {"code": code, "message": message, "request_id": request_id()}
    if fields:
        error["fields"] = [{"field": name, "message": why} for name, why in fields]
    response = _json({"error": error})
    response.status_code = status
    response.headers.update(headers)
    return response


def _json(content: object) -> flask.Response:
    return flask.Response(orjson.dumps(content), mimetype="application/json")
