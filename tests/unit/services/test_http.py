"""HTTP: what every service does with every request, on an app with nothing behind it."""

from collections.abc import Iterator
from typing import Any

import flask
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.bodies import Body
from shared.endpoints import Stream, User, Version, endpoint, event
from shared.errors import NotFound, Unauthenticated, Unavailable
from shared.frozen import Frozen
from shared.http import Service, create_app
from shared.identity import LocalServices, local_key
from shared.limits import RateLimit
from shared.settings import Settings
from shared.telemetry import telemetry

bp = flask.Blueprint("things", __name__)


class Thing(Frozen):
    """A thing."""

    name: str


class NewThing(Body):
    """A new thing."""

    name: str
    size: int = 1


@bp.get("/v1/things/<name>")
@endpoint(raises=(NotFound,))
def show(user: User, name: str) -> Thing:
    """Show a thing."""
    if name == "none":
        raise NotFound("there is no such thing")
    if name == "down":
        raise Unavailable("the store is down")
    if name == "bug":
        raise RuntimeError("secret detail")
    return Thing(name=f"{name} of {user}")


@bp.post("/v1/things")
@endpoint(status=201)
def make(user: User, body: NewThing) -> Thing:
    """Make a thing."""
    return Thing(name=body.name)


@bp.put("/v1/things")
@endpoint()
def change(user: User, version: Version) -> Thing:
    """Change a thing."""
    return Thing(name=str(version))


@bp.get("/v1/stream")
@endpoint()
def stream(user: User) -> Stream[Thing]:
    """Stream things."""

    def events() -> Iterator[bytes]:
        yield event("thing", Thing(name="one"))
        yield event("end", {})

    return Stream(events())


class Tokens:
    """Access tokens that are the user's name."""

    def check(self, token: str) -> str:
        if token == "bad":
            raise Unauthenticated("not one of ours")
        return token


def app(tmp_path: Any, **settings: Any) -> flask.Flask:
    key = local_key(tmp_path / "services.pem")
    chosen = Settings(service="things", **settings)
    made = telemetry("things", exporter=settings.get("exporter"))
    services = LocalServices("things", key)
    return create_app(Service("things", "Things.", None, (bp,), chosen, Tokens(), services, lambda: None, made))


@pytest.fixture
def client(tmp_path: Any) -> Any:
    return app(tmp_path).test_client()


ANN = {"Authorization": "Bearer ann"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("none", 404, "not_found"), ("down", 503, "unavailable"), ("bug", 500, "internal")],
)
def test_errors_have_one_body_and_the_requests_id(client: Any, path: str, status: int, code: str) -> None:
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.get(f"/v1/things/{path}", headers=ANN | {"X-Request-Id": "request-1234"})
    assert answer.status_code == status
    assert answer.json["error"]["code"] == code
    assert answer.json["error"]["request_id"] == answer.headers["X-Request-Id"] == "request-1234"
    assert "secret" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_request_id_that_could_forge_log_lines_is_replaced(client: Any) -> None:
    answer = client.get("/v1/things/a", headers=ANN | {"X-Request-Id": "x y" * 99})
    assert len(answer.headers["X-Request-Id"]) == 32


def test_every_answer_carries_security_headers(client: Any) -> None:
    for path in ("/v1/things/a", "/nowhere", "/healthz", "/v1/docs/things"):
        headers = client.get(path, headers=ANN).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" in headers


def test_wrong_fields_are_named_all_at_once_and_what_was_sent_is_not_repeated(client: Any) -> None:
    answer = client.post("/v1/things", json={"size": "large", "other": 1}, headers=ANN)
    assert answer.status_code == 400
    assert {one["field"] for one in answer.json["error"]["fields"]} == {"name", "size", "other"}
    assert "large" not in answer.text


def test_a_change_says_its_version(client: Any) -> None:
    assert client.put("/v1/things", headers=ANN).status_code == 428
    assert client.put("/v1/things", headers=ANN | {"If-Match": '"7"'}).json == {"name": "7"}


def test_a_user_who_asks_too_often_waits_and_others_do_not(tmp_path: Any) -> None:
    client = app(tmp_path, rate_per_user=0.01).test_client()
    statuses = [client.get("/v1/things/a", headers=ANN).status_code for _ in range(3)]
    assert statuses == [200] + [429] * 2
    refused = client.get("/v1/things/a", headers=ANN)
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.get("/v1/things/a", headers={"Authorization": "Bearer bob"}).status_code == 200


def test_an_address_is_what_our_nearest_proxy_saw_not_what_a_client_writes(tmp_path: Any) -> None:
    client = app(tmp_path, rate_per_address=0.01, trusted_proxies=1).test_client()
    statuses = [
        client.get("/v1/things/a", headers=ANN | {"X-Forwarded-For": f"9.9.9.{n}, 1.2.3.4"}).status_code
        for n in range(4)
    ]
    assert statuses[-1] == 429
    assert client.get("/v1/things/a", headers=ANN | {"X-Forwarded-For": "4.3.2.1"}).status_code == 200


def test_health_is_never_throttled(tmp_path: Any) -> None:
    client = app(tmp_path, rate_per_address=0.01).test_client()
    assert {client.get("/healthz").status_code for _ in range(20)} == {200}


def test_pages_of_listed_origins_alone_may_call(tmp_path: Any) -> None:
    client = app(tmp_path, cors_origins="https://app.example, https://other.example").test_client()
    mine = client.options("/v1/things", headers={"Origin": "https://app.example"})
    assert mine.status_code == 204
    assert mine.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Credentials" not in mine.headers
    theirs = client.get("/v1/things/a", headers=ANN | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in theirs.headers
    assert theirs.headers["Vary"] == "Origin"


def test_a_stream_is_sent_as_events_that_nobody_buffers(client: Any) -> None:
    answer = client.get("/v1/stream", headers=ANN)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.text == 'event: thing\ndata: {"name":"one"}\n\nevent: end\ndata: {}\n\n'


def test_requests_are_counted_by_route_and_not_by_path(client: Any) -> None:
    for name in ("a", "b", "none"):
        client.get(f"/v1/things/{name}", headers=ANN)
    text = client.get("/metrics").text
    assert 'fitsense_requests_total{method="GET",route="/v1/things/<name>",status="200"} 2.0' in text
    assert 'status="404"} 1.0' in text


def test_a_request_is_a_span_of_its_callers_trace(tmp_path: Any) -> None:
    exporter = InMemorySpanExporter()
    made = telemetry("things", exporter=exporter)
    services = LocalServices("things", local_key(tmp_path / "services.pem"))
    service = Service("things", "Things.", None, (bp,), Settings(), Tokens(), services, lambda: None, made)
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = ANN | {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    create_app(service).test_client().get("/v1/things/a", headers=headers).close()
    (span,) = exporter.get_finished_spans()
    assert span.name == "GET /v1/things/<name>"
    assert f"{span.context.trace_id:032x}" == trace_id


def test_the_page_of_a_document_needs_nothing_from_anywhere_else(client: Any) -> None:
    page = client.get("/v1/docs/things")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "/v1/things/{name}" in page.text


def test_a_bucket_fills_again_with_time() -> None:
    now = [0.0]
    limit = RateLimit(1, burst=1, clock=lambda: now[0])
    limit.take("a")
    with pytest.raises(Exception, match="too many"):
        limit.take("a")
    now[0] = 1.0
    limit.take("a")
