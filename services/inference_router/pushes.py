"""Pushes: model-served events, as Pub/Sub delivers them."""

import asyncio
import base64

import orjson

from services.inference_router.api_errors import unavailable, wrong
from services.inference_router.callers import authenticate
from services.inference_router.http import Http
from services.inference_router.router import Router
from shared.errors import Rejected, Unavailable
from shared.events import ModelServed

MOST_BYTES = 100_000


async def model_served(router: Router, http: Http) -> None:
    """Move an alias to where the registry says it leads."""
    await authenticate(router.pushers, http.header(b"authorization"))
    event = served_in(await http.body(MOST_BYTES))
    try:
        if event.environment == router.settings.environment:
            await asyncio.to_thread(router.table.move, event)
            await router.table.refresh()
    except Unavailable as exc:
        raise unavailable("documents_down", str(exc), 1) from exc
    await http.respond(204, b"")


def served_in(body: bytes) -> ModelServed:
    """Return the event in a push; raises ApiError."""
    try:
        message = orjson.loads(body)["message"]
        data = base64.b64decode(message.get("data") or "", validate=True)
        return ModelServed.from_message(data, dict(message.get("attributes") or {}))
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise wrong(f"this is no Pub/Sub push: {exc}") from exc
    except Rejected as exc:
        raise wrong(str(exc)) from exc
