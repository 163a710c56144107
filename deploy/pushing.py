"""Pushing: a message to a service over HTTP, in the form that Pub/Sub pushes it."""

import base64
import http.client
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import orjson

from shared.bus import Message
from shared.errors import Rejected, Unavailable
from shared.settings import Settings

FINAL = frozenset({400, 404, 405, 409, 410, 413, 415, 422})
"""Answers that another attempt cannot change; all others that are no success are tried again."""


@dataclass(frozen=True, slots=True)
class Push:
    """Where and how a message goes to a service."""

    url: str
    audience: str
    """The service, which is whom the identity token is for."""
    subscription: str
    message_id: str
    published_s: float
    timeout_s: float


def body(push: Push, message: Message) -> bytes:
    """Return what Pub/Sub would push."""
    published = datetime.fromtimestamp(push.published_s, UTC).isoformat(timespec="milliseconds")
    return orjson.dumps(
        {
            "message": {
                "data": base64.b64encode(message.data).decode(),
                "attributes": message.attributes,
                "messageId": push.message_id,
                "publishTime": published.replace("+00:00", "Z"),
            },
            "subscription": f"projects/local/subscriptions/{push.subscription}",
        }
    )


def identity(settings: Settings, audience: str) -> str:
    """Return what proves to a service that this stack pushes."""
    from shared.identity import services  # cryptography and all are loaded only where something is pushed

    return services(settings.model_copy(update={"service": "dispatcher"})).sign(audience)


def send(push: Push, message: Message, token: str) -> None:
    """Push a message; raises Rejected where the service will never take it, and Unavailable where it may yet."""
    where = urlsplit(push.url)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection(where.netloc, timeout=push.timeout_s)
    try:
        connection.request("POST", where.path, body(push, message), headers)
        answer = connection.getresponse()
        said = answer.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as exc:
        raise Unavailable(f"{push.url} does not answer: {exc}") from exc
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        reason = f"{push.url} answered {answer.status}: {' '.join(said.split())[:300]}"
        raise (Rejected if answer.status in FINAL else Unavailable)(reason)
