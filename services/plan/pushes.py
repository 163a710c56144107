"""Pushes: events as Pub/Sub delivers them to an endpoint."""

import base64
import binascii
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import Rejected
from shared.events import Event

E = TypeVar("E", bound=Event)


class PushedMessage(BaseModel):
    """A message; Pub/Sub adds fields now and then."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    data: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)


class Push(BaseModel):
    """A delivery."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    message: PushedMessage
    subscription: str = ""


def event_in(push: Push, kind: type[E]) -> E:
    """Return the event that was delivered; raises Rejected saying what is wrong with it."""
    try:
        data = base64.b64decode(push.message.data, validate=True)
    except binascii.Error as exc:
        raise Rejected("the message's data are not base64") from exc
    return kind.from_message(data, push.message.attributes)
