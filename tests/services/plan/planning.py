"""The plan service on a real Postgres, with people and a bus that are there at once, for its tests."""

import base64
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID, uuid4

import flask
import orjson
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.plan.app import build
from services.plan.deps import Deps, made
from services.plan.ports import Model
from services.plan.working import work
from shared.bus import Outbox, event_in
from shared.coach.profile import UserProfile
from shared.database import database
from shared.errors import NotFound, Unauthenticated, Unavailable
from shared.events import AiInteraction, Event, PlanJobRequested
from shared.log_summary import LogSummary
from tests.people import person
from tests.postgres import Server

SERVICE = "a-service"


class Tokens:
    """Access tokens that are the user's id."""

    def check(self, token: str) -> str:
        try:
            return str(UUID(token))
        except ValueError as exc:
            raise Unauthenticated("no token") from exc


class Identities:
    """Identities of services that are their name."""

    def sign(self, audience: str) -> str:
        return SERVICE

    def check(self, token: str, audience: str) -> str:
        if token != SERVICE:
            raise Unauthenticated("no service")
        return token


class FakePeople:
    """Everybody, with the profile and the log that they are given."""

    def __init__(self) -> None:
        self.profiles: dict[str, UserProfile] = {}
        self.summaries: dict[str, LogSummary] = {}
        self.logging_is_down = False

    def profile(self, user_id: str) -> UserProfile:
        if user_id not in self.profiles:
            raise NotFound("no profile")
        return self.profiles[user_id]

    def summary(self, user_id: str, planned: int) -> LogSummary | None:
        if self.logging_is_down:
            raise Unavailable("logging is down")
        return self.summaries.get(user_id)


class Plant:
    """A running plan service and what is around it."""

    def __init__(self, server: Server, name: str, model: Model | None = None, pool: int = 8) -> None:
        self.server = server
        self.name = name
        self.people = FakePeople()
        self.events: list[Event] = []
        self.settings = server.settings(
            "plan", name, database_pool=pool, rate_per_user=10_000, rate_per_address=100_000, database_wait_s=120
        )
        self.database = database(self.settings)
        bus = Outbox(lambda message: self.events.append(event_in(message)))
        self.deps: Deps = made(self.database, self.people, model, bus)
        self.app: flask.Flask = build(self.settings, self.deps, Tokens(), Identities(), self.database.check)

    def user(self, **changes: object) -> "Asking":
        """Return a new user with a profile."""
        user_id = str(uuid4())
        self.server.sql(
            "INSERT INTO profile.users (user_id, email, name, password_hash)"
            f" VALUES ('{user_id}', '{user_id}@example.org', 'Some One', '{'x' * 80}')",
            self.name,
        )
        self.people.profiles[user_id] = person(user_id=user_id, **changes)
        return Asking(self, user_id)

    def work_all(self) -> None:
        """Deliver every job that was published, once."""
        for event in [event for event in self.events if isinstance(event, PlanJobRequested)]:
            work(self.deps, event)

    @property
    def interactions(self) -> list[AiInteraction]:
        return [event for event in self.events if isinstance(event, AiInteraction)]


class Asking:
    """A user with a client."""

    def __init__(self, plant: Plant, user_id: str) -> None:
        self.plant = plant
        self.user_id = user_id
        self.client: FlaskClient = plant.app.test_client()

    def send(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {"Authorization": f"Bearer {self.user_id}"} | named
        data = None if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        kind = None if body is None else "application/json"
        return self.client.open(path, method=method, data=data, content_type=kind, headers=named)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self.send("POST", path, body, **headers)

    def plan(self, **wanted: object) -> dict[str, object]:
        """Have a plan made, streamed, and return it."""
        told = events(self.post("/v1/plans:stream", wanted))
        name, plan = told[-1]
        assert name == "plan", told
        return plan


def events(response: TestResponse) -> list[tuple[str, dict[str, object]]]:
    """Return the server-sent events of a response."""
    assert response.status_code == 200, response.get_data(as_text=True)
    assert response.mimetype == "text/event-stream"
    return list(parsed(response.get_data(as_text=True)))


def parsed(text: str) -> Iterator[tuple[str, dict[str, object]]]:
    for block in text.split("\n\n")[:-1]:
        first, second = block.split("\n")
        yield first.removeprefix("event: "), orjson.loads(second.removeprefix("data: "))


def push(event: Event) -> dict[str, object]:
    """Return an event as Pub/Sub pushes it."""
    data = base64.b64encode(event.data()).decode()
    return {"message": {"data": data, "attributes": event.attributes(), "messageId": "1"}, "subscription": "s"}


@contextmanager
def planted(server: Server, model: Model | None = None, pool: int = 8) -> Iterator[Plant]:
    """Run a plan service on an empty database of its own."""
    with server.copy() as name:
        plant = Plant(server, name, model, pool)
        with closing(plant.database):
            yield plant
