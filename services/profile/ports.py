"""Ports: what the profile service needs from outside."""

from dataclasses import dataclass
from typing import Protocol

import flask

from services.profile.schemas import Me
from shared.http import DEPS


class Accounts(Protocol):
    """Who there is."""

    def me(self, user_id: str) -> Me:
        """Return a user; raises NotFound."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the service works with."""

    accounts: Accounts


def deps() -> Deps:
    """Return what this app was made with."""
    found: Deps = flask.current_app.extensions[DEPS]
    return found
