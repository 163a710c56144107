"""Routes: what the router answers to, beside the life of a request, which is `turn.py`.

POST /v1/chat/completions     OpenAI's; JSON or a stream of events
GET  /v1/models[/NAME]        OpenAI's; what this caller may ask for
POST /events/model-served     Pub/Sub's push
PUT  /v1/shadow               {"version": "...", "percent": 10}; {"version": null} ends it; admins
GET  /healthz /readyz /metrics /v1/openapi/inference-router.json
"""

import asyncio
import string
import uuid

import orjson
from pydantic import ValidationError

from services.inference_router.admission import Priority
from services.inference_router.api_errors import ApiError, wrong
from services.inference_router.asked import Asked, read_request
from services.inference_router.callers import Caller, authenticate
from services.inference_router.http import Http
from services.inference_router.interactions import Interaction
from services.inference_router.router import Router
from services.inference_router.shadow import shadow
from services.inference_router.turn import Turn
from shared.coach.vocabulary import PROMPT_TYPES
from shared.frozen import Frozen

_ID_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_.:")


async def chat(router: Router, http: Http) -> None:
    """Answer a chat completion request."""
    caller = await authenticate(router.callers, http.header(b"authorization"))
    user_id = http.header(b"x-fitsense-user") if caller.speaks_for_users else ""
    interaction = _begin(http, caller, user_id)
    router.tracing.begin(interaction, http.header(b"traceparent"))
    priority: Priority = "background" if http.header(b"x-fitsense-priority") == "background" else "interactive"
    user = user_id or caller.name
    turn = Turn(router, http, interaction, user, priority)
    asked: list[Asked] = []

    async def read() -> Asked:
        asked.append(read_request(await http.body(router.settings.body_bytes)))
        return asked[0]

    await turn.run(read, caller.admin)
    if interaction.status == "answered":
        shadow(router, interaction, asked[0], user)


def _begin(http: Http, caller: Caller, user_id: str) -> Interaction:
    prompt_type = http.header(b"x-fitsense-prompt-type")
    return Interaction(
        request_id=request_id(http),
        caller=caller.name,
        user=user_id or None,
        prompt_type=next((one for one in PROMPT_TYPES if one == prompt_type), None),
    )


def request_id(http: Http) -> str:
    """Return the id that the caller gave the request, or a new one where it gave none that is fit for a log."""
    given = http.header(b"x-request-id")
    return given if 0 < len(given) <= 100 and _ID_CHARACTERS.issuperset(given) else f"req-{uuid.uuid4().hex}"


async def models(router: Router, http: Http) -> None:
    """List what the caller may ask for, or tell of one of it."""
    caller = await authenticate(router.callers, http.header(b"authorization"))
    found = {
        name: {"id": name, "object": "model", "created": 0, "owned_by": "fitsense", "version": target.version}
        for name, target in router.table.routes.names(caller.admin).items()
    }
    _, _, name = http.path.removeprefix("/v1/models").partition("/")
    if not name:
        await http.respond(200, orjson.dumps({"object": "list", "data": list(found.values())}))
    elif name in found:
        await http.respond(200, orjson.dumps(found[name]))
    else:
        raise ApiError(404, "model_not_found", f"there is no model {name[:100]!r}", "model")


class Shadow(Frozen):
    """Which version is asked beside the served one, for how many of the users; none ends it."""

    version: str | None
    percent: float = 100


async def set_shadow(router: Router, http: Http) -> None:
    """Have a version asked beside the served one, or none any more."""
    caller = await authenticate(router.callers, http.header(b"authorization"))
    if not caller.admin:
        raise ApiError(403, "not_allowed", "only admins may do that")
    try:
        wanted = Shadow.model_validate_json(await http.body(10_000))
        await asyncio.to_thread(router.table.set_shadow, wanted.version, wanted.percent)
    except ValidationError as exc:
        raise wrong(f"version and percent are needed: {exc.errors()[0]['msg']}") from exc
    except KeyError as exc:
        raise ApiError(404, "model_not_found", f"no server holds version {wanted.version!r}", "version") from exc
    await router.table.refresh()
    await http.respond(200, orjson.dumps({"shadow": wanted.model_dump()}))


async def describe(router: Router, http: Http) -> None:
    """Show the OpenAPI document."""
    from services.inference_router.openapi import document  # its models are of no use to anybody else

    del router
    await http.respond(200, orjson.dumps(document()))


async def healthy(router: Router, http: Http) -> None:
    """Say that the process works."""
    del router
    await http.respond(200, b'{"status":"ok"}')


async def ready(router: Router, http: Http) -> None:
    """Say whether a request would be answered."""
    student = router.table.routes.student
    if router.draining:
        raise ApiError(503, "stopping", "the server is shutting down")
    if student is None:
        raise ApiError(503, "no_model_served", "no student has been promoted yet", retry_after_s=30)
    router.backends.of(student).check_open()
    await http.respond(200, orjson.dumps({"status": "ok", "version": student.version}))


async def metrics(router: Router, http: Http) -> None:
    """Tell Prometheus."""
    text = router.metrics.text(router.backends, router.outbox)
    await http.respond(200, text, kind=b"text/plain; version=0.0.4; charset=utf-8")
