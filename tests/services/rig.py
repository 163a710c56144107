"""The services on a database, each as a client that speaks JSON, with users who are logged in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask
from werkzeug.test import TestResponse

from services.logging import app as logging_app
from services.logging.ports import Deps as LogDeps
from services.profile import app as profile_app
from services.profile.app import signing_key
from services.profile.passwords import Passwords
from services.profile.ports import Deps
from shared.database import database
from shared.identity import AccessTokens, LocalServices, services
from tests.postgres import Server

PASSWORD = "correct horse battery"
EASY = {"rate_per_user": 10_000, "rate_per_address": 100_000, "database_wait_s": 60}
ONBOARDING = {
    "age": 40,
    "sex": "female",
    "height_cm": 168,
    "weight_kg": 66.5,
    "goals": ["strength", "fat_loss"],
    "activity_level": "lightly_active",
    "experience": "beginner",
    "days_per_week": 3,
    "equipment": ["dumbbells"],
    "conditions": [{"id": "hypertension", "severity": "mild"}],
}


@dataclass
class Person:
    """Somebody who is logged in, with every service."""

    rig: "Rig"
    user_id: str
    email: str
    session: dict[str, Any]

    def ask(self, method: str, path: str, json: object = None, **headers: str) -> TestResponse:
        """Send a request as this person."""
        sent = {"Authorization": f"Bearer {self.session['access_token']}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.rig.ask(method, path, json, sent)

    def get(self, path: str) -> Any:
        """Return what is there, which has to be."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json

    def made(self, path: str, json: object = None, **headers: str) -> Any:
        """Make something, which has to succeed."""
        answer = self.ask("POST", path, json or {}, **headers)
        assert answer.status_code == 201, answer.text
        return answer.json

    def workout(self, sets: int = 0, exercise: str = "back-squat") -> tuple[str, str]:
        """Begin a workout with one exercise and some sets; returns the ids of both."""
        workout_id = self.made("/v1/workouts")["workout_id"]
        body = {"exercise": exercise, "position": 1}
        entry_id = self.made(f"/v1/workouts/{workout_id}/exercises", body)["entry_id"]
        for number in range(1, sets + 1):
            self.made(f"/v1/workouts/{workout_id}/sets", new_set(entry_id, number))
        return workout_id, entry_id


@dataclass
class Rig:
    """The profile and logging services, as test clients."""

    profile: flask.Flask
    logging: flask.Flask
    identities: LocalServices
    log_deps: LogDeps

    def app(self, path: str) -> flask.Flask:
        """Return the app that a path belongs to."""
        own = ("/v1/auth", "/v1/me", "/v1/profile", "/v1/catalog")
        at_profile = path.startswith(own) or (path.endswith("/profile") and path.startswith("/internal"))
        return self.profile if at_profile else self.logging

    def ask(
        self, method: str, path: str, json: object = None, headers: dict[str, str] | None = None, **more: Any
    ) -> TestResponse:
        """Send a request as nobody."""
        client = self.app(path).test_client()
        return client.open(path, method=method, json=json, headers=headers or {}, **more)

    def person(self, name: str = "Ann") -> Person:
        """Sign somebody up."""
        email = f"{name.lower()}-{uuid4().hex[:8]}@example.com"
        answer = self.ask("POST", "/v1/auth/signup", {"name": name, "email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return Person(self, answer.json["user_id"], email, answer.json)

    def service(self, method: str, path: str, json: object = None, caller: str = "plan") -> TestResponse:
        """Send a request as another service."""
        app = self.app(path)
        token = self.identities.sign(app.name)
        return self.ask(method, path, json, {"Authorization": f"Bearer {token}"})


def new_set(entry_id: str, number: int = 1, **more: object) -> dict[str, object]:
    """Return the body of a set."""
    return {"entry_id": entry_id, "number": number, "reps": 5, "load_kg": 80, "rir": 2} | more


class OtherServices:
    """The logging service without a network in between, and a plan service that has nothing."""

    def __init__(self, logging: flask.Flask, identities: LocalServices) -> None:
        self._logging = logging
        self._identities = identities

    def exported(self, user_id: str) -> dict[str, Any]:
        """Return each one's part."""
        headers = {"Authorization": f"Bearer {self._identities.sign('logging')}"}
        answer = self._logging.test_client().get(f"/internal/users/{user_id}/export", headers=headers)
        return {"logging": answer.json}


@contextmanager
def rig(server: Server, name: str, keys: Path, **more: object) -> Iterator[Rig]:
    """Run the services on a database of a server."""
    settings = {one: server.settings(one, name, keys=keys, **(EASY | more)) for one in ("profile", "logging")}
    pools = {one: database(chosen) for one, chosen in settings.items()}
    identities = services(settings["profile"])
    assert isinstance(identities, LocalServices)
    made = profile_app.made(pools["profile"], settings["profile"], identities, passwords=Passwords(wait_s=120))
    users = AccessTokens(made.signer.public_key)
    log_deps = logging_app.made(pools["logging"], settings["logging"])
    log = logging_app.build(settings["logging"], log_deps, users, identities, pools["logging"].check)
    deps = Deps(made.accounts, made.profiles, OtherServices(log, identities), made.signer)
    profile = profile_app.build(settings["profile"], deps, identities, pools["profile"].check)
    assert signing_key(settings["profile"])
    try:
        yield Rig(profile, log, identities, log_deps)
    finally:
        for pool in pools.values():
            pool.close()
