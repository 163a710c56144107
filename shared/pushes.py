"""Pushes: an endpoint of a service that a topic is pushed to.

    bp.post("/events/ai-interaction")(pushed(AiInteraction, lambda event: deps().interactions.keep(event)))

The body is Pub/Sub's own. Who pushes proves it by a signed identity; Google's emulator cannot, and sends none.
204 acknowledges; Rejected is answered by 400, which ends in the dead-letter topic, Unavailable by 503, which is
delivered again. So whatever handles an event does so once, however often it comes.
"""

import base64
from collections.abc import Callable
from typing import TypeVar

import flask
from pydantic import ConfigDict, Field

from shared.bodies import read_json
from shared.endpoints import IDENTITY, Access, bearer
from shared.errors import Rejected
from shared.event import Event
from shared.frozen import Frozen

E = TypeVar("E", bound=Event)


class PushedMessage(Frozen):
    """A message as Pub/Sub pushes it; it adds fields of its own now and then."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    data: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)


class Push(Frozen):
    """A delivery."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message: PushedMessage


def pushed(kind: type[E], handle: Callable[[E], None]) -> Callable[[], flask.Response]:
    """Return the view of a topic's push endpoint."""

    def view() -> flask.Response:
        access: Access = flask.current_app.extensions[IDENTITY]
        if access.pushes_are_signed:
            access.services.check(bearer(), access.audience)
        message = read_json(flask.request.get_data(), Push).message
        try:
            data = base64.b64decode(message.data, validate=True)
        except ValueError as exc:
            raise Rejected("the message's data are not base64") from exc
        handle(kind.from_message(data, message.attributes))
        return flask.Response(status=204)

    view.__name__ = f"hear_{kind.topic.replace('-', '_')}"
    return view
