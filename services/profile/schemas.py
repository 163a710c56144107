"""Schemas: what goes over HTTP."""

from datetime import datetime

from shared.frozen import Frozen


class Me(Frozen):
    """The user who asks."""

    user_id: str
    email: str
    name: str
    created_at: datetime
