"""Ports: what the profile service needs from outside, as one typed value that views read from the app."""

from dataclasses import dataclass
from typing import Any, Protocol

import flask
from pydantic import SecretStr

from services.profile.schemas import (
    Login,
    Logout,
    Me,
    Onboarding,
    PasswordChange,
    ProfileChange,
    ProfileHistory,
    Session,
    SignUp,
    StoredProfile,
)
from services.profile.tokens import TokenSigner
from shared.coach.profile import UserProfile
from shared.endpoints import Answer
from shared.http import DEPS


class Accounts(Protocol):
    """Who there is."""

    def sign_up(self, asked: SignUp, key: str | None, address: str) -> Answer[Session]: ...

    def log_in(self, asked: Login, address: str) -> Session: ...

    def refresh(self, token: SecretStr) -> Session: ...

    def log_out(self, asked: Logout) -> None: ...

    def me(self, user_id: str) -> Me: ...

    def rename(self, user_id: str, name: str) -> Me: ...

    def change_password(self, user_id: str, asked: PasswordChange) -> None: ...

    def delete(self, user_id: str, password: SecretStr) -> None: ...


class Profiles(Protocol):
    """Who people are."""

    def make(self, user_id: str, asked: Onboarding) -> Answer[StoredProfile]: ...

    def change(self, user_id: str, version: int, asked: ProfileChange) -> Answer[StoredProfile]: ...

    def show(self, user_id: str) -> Answer[StoredProfile]: ...

    def history(self, user_id: str) -> ProfileHistory: ...

    def of_user(self, user_id: str) -> UserProfile: ...


class Others(Protocol):
    """What the other services have of a user."""

    def exported(self, user_id: str) -> dict[str, Any]:
        """Return each one's part, by its name; raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the service works with."""

    accounts: Accounts
    profiles: Profiles
    others: Others
    signer: TokenSigner


def deps() -> Deps:
    """Return what this app was made with."""
    found: Deps = flask.current_app.extensions[DEPS]
    return found
