"""Routes: accounts and sessions, who I am, and what a coach has to know of me."""

from typing import Any

import flask
import orjson
from flask import Blueprint

from services.profile.ports import deps
from services.profile.schemas import (
    Goodbye,
    Login,
    Logout,
    Me,
    MeChange,
    Onboarding,
    PasswordChange,
    ProfileChange,
    ProfileHistory,
    Refresh,
    Session,
    SignUp,
    StoredProfile,
)
from shared.coach.profile import UserProfile
from shared.endpoints import Answer, Caller, Receipt, Unkept, User, Version, endpoint
from shared.errors import Conflict, Forbidden, NotFound, Stale, Unauthenticated
from shared.http import client_address

auth = Blueprint("auth", __name__)
me = Blueprint("me", __name__)
profile = Blueprint("profile", __name__)
internal = Blueprint("internal", __name__)


@auth.post("/v1/auth/signup")
@endpoint(status=201, raises=(Conflict,))
def sign_up(body: SignUp, receipt: Receipt) -> Answer[Session]:
    """Make an account and log in; under its key once more, with the same password, it logs in again."""
    return deps().accounts.sign_up(body, receipt.key, client_address())


@auth.post("/v1/auth/login")
@endpoint(raises=(Unauthenticated,))
def log_in(body: Login, key: Unkept) -> Session:
    """Log in; after some wrong passwords the next try has to wait. Once more begins another session."""
    return deps().accounts.log_in(body, client_address())


@auth.post("/v1/auth/refresh")
@endpoint(raises=(Unauthenticated,))
def refresh(body: Refresh, key: Unkept) -> Session:
    """Get a new access token, and the refresh token for the next time; who lost the answer logs in."""
    return deps().accounts.refresh(body.refresh_token)


@auth.post("/v1/auth/logout")
@endpoint()
def log_out(body: Logout, key: Unkept) -> None:
    """End a session; its access token is good for some minutes more. Once more ends nothing."""
    deps().accounts.log_out(body)


@auth.get("/v1/auth/jwks.json")
@endpoint(hidden=True)
def show_keys() -> Answer[Any]:
    """Show the public keys of access tokens."""
    return Answer(orjson.dumps(deps().signer.jwks()), headers={"Cache-Control": "public, max-age=300"})


@me.get("/v1/me")
@endpoint(raises=(NotFound,))
def show_me(user: User) -> Me:
    """Return the user who asks."""
    return deps().accounts.me(user)


@me.patch("/v1/me")
@endpoint(raises=(NotFound,))
def change_me(user: User, body: MeChange) -> Me:
    """Change your name."""
    return deps().accounts.rename(user, body.name)


@me.put("/v1/me/password")
@endpoint(raises=(Conflict, Forbidden, NotFound))
def change_password(user: User, body: PasswordChange) -> None:
    """Change your password; every session ends."""
    deps().accounts.change_password(user, body)


@me.get("/v1/me/export")
@endpoint(raises=(NotFound,))
def export(user: User) -> flask.Response:
    """Get all that there is of you, from every service."""
    account = deps().accounts.me(user).model_dump(mode="json")
    versions = deps().profiles.history(user).model_dump(mode="json")["versions"]
    whole = {"account": account, "profile": versions} | deps().others.exported(user)
    headers = {"Content-Disposition": 'attachment; filename="fitsense-export.json"'}
    return flask.Response(orjson.dumps(whole), mimetype="application/json", headers=headers)


@me.delete("/v1/me")
@endpoint(raises=(Forbidden, NotFound))
def delete_me(user: User, body: Goodbye) -> None:
    """Delete your account with all that is yours, for good."""
    deps().accounts.delete(user, body.password)


@profile.get("/v1/profile")
@endpoint(raises=(NotFound,))
def show_profile(user: User) -> Answer[StoredProfile]:
    """Show your profile."""
    return deps().profiles.show(user)


@profile.put("/v1/profile")
@endpoint(status=201, raises=(Conflict,))
def make_profile(user: User, body: Onboarding) -> Answer[StoredProfile]:
    """Answer what a coach asks first."""
    return deps().profiles.make(user, body)


@profile.patch("/v1/profile")
@endpoint(raises=(NotFound, Stale))
def change_profile(user: User, version: Version, body: ProfileChange) -> Answer[StoredProfile]:
    """Change your profile; what it was stays in its history."""
    return deps().profiles.change(user, version, body)


@profile.get("/v1/profile/history")
@endpoint()
def show_history(user: User) -> ProfileHistory:
    """Show what your profile was, the latest first."""
    return deps().profiles.history(user)


@internal.get("/internal/users/<uuid:user_id>/profile")
@endpoint(hidden=True)
def show_to_service(caller: Caller, user_id: str) -> UserProfile:
    """Return who a plan is for."""
    return deps().profiles.of_user(user_id)
