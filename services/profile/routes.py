"""Routes: who I am."""

from flask import Blueprint

from services.profile.ports import deps
from services.profile.schemas import Me
from shared.endpoints import User, endpoint
from shared.errors import NotFound

bp = Blueprint("me", __name__)


@bp.get("/v1/me")
@endpoint(raises=(NotFound,))
def show_me(user: User) -> Me:
    """Return the user who asks."""
    return deps().accounts.me(user)
