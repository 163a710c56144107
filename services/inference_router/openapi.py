"""OpenAPI: the router's document, 3.1: the part of OpenAI's API that is here, and what is our own beside it.

What is asked is checked by `ChatRequest` itself; answers are the model server's bytes, and these models say which of
their fields there always are.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema

from services.inference_router.asked import ChatRequest
from services.inference_router.routes import Shadow
from shared.frozen import Frozen

Json = dict[str, Any]

SUMMARY: Final = "OpenAI's chat completions, answered by the model that was promoted, with limits and a fair queue."
REF: Final = "#/components/schemas/{model}"


class _Open(BaseModel):
    """What a model server may add to."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Usage(_Open):
    """Tokens of a request."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Said(_Open):
    """What a model said, or the next piece of it."""

    role: str | None = None
    content: str | None = None


class Choice(_Open):
    """The answer."""

    index: int
    message: Said
    finish_reason: str | None


class Completion(_Open):
    """An answer in one piece; `model` is the version that gave it."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: Usage


class Piece(_Open):
    """A piece of the answer."""

    index: int
    delta: Said
    finish_reason: str | None = None


class Chunk(_Open):
    """The data of an event of a stream, of which the last is the word [DONE]; usage is in the one without choices."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: tuple[Piece, ...]
    usage: Usage | None = None


class ModelLine(Frozen):
    """What may be asked for, and which version that is."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    version: str


class ModelList(Frozen):
    """All of it."""

    object: Literal["list"]
    data: tuple[ModelLine, ...]


class Fault(Frozen):
    """What went wrong: `code` for programs, `message` for people, `param` where it is a field."""

    message: str
    type: str
    param: str | None
    code: str


class RouterError(Frozen):
    """OpenAI's form of an error; in a stream the data of its last event."""

    error: Fault
    request_id: str


class ShadowAnswer(Frozen):
    """What is asked beside the served version from now on."""

    shadow: Shadow


ANSWERS: Final = (Completion, Chunk, ModelList, ModelLine, RouterError, ShadowAnswer)
FAULTS: Final = {
    "400": "A field is wrong, or the prompt is too long for the model; with numbers.",
    "401": "No caller has this token.",
    "403": "The caller may not do that.",
    "404": "There is no such model.",
    "413": "The body is too large.",
    "429": "The queue is full, the wait was too long, or the user has too much here already.",
    "502": "The model server failed.",
    "503": "No model serves, its server is down, or this process ends.",
    "504": "The model server took too long.",
}
HEADERS: Final = {
    "X-Request-Id": "Comes back, and is noted with the interaction.",
    "X-FitSense-User": "For whom a service asks; of others it is ignored.",
    "X-FitSense-Priority": "`background` waits behind everybody who does not.",
    "X-FitSense-Prompt-Type": "What kind of question it is; noted with the interaction.",
}


def document() -> Json:
    """Return the document."""
    chat = _operation(
        "Answer a chat, whole or as a stream of events.", "Completion", "400 401 403 404 413 429 502 503 504"
    )
    chat["responses"]["200"]["content"]["text/event-stream"] = {"schema": _event()}
    chat["requestBody"] = _body("ChatRequest")
    chat["parameters"] = [_parameter(name, "header", text) for name, text in HEADERS.items()]
    one = _operation("Tell of one model.", "ModelLine", "401 404")
    one["parameters"] = [_parameter("model", "path", "An alias or a version.")]
    shadow = _operation(
        "Have a version asked beside the served one, or none any more; admins.", "ShadowAnswer", "400 401 403 404 413"
    )
    shadow["requestBody"] = _body("Shadow")
    _, schemas = models_json_schema(
        [(model, "validation") for model in (ChatRequest, Shadow, *ANSWERS)], ref_template=REF
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "FitSense inference-router", "version": "1", "description": SUMMARY},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "paths": {
            "/v1/chat/completions": {"post": {"operationId": "chat", **chat}},
            "/v1/models": {
                "get": {"operationId": "models", **_operation("List what the caller may ask for.", "ModelList", "401")}
            },
            "/v1/models/{model}": {"get": {"operationId": "model", **one}},
            "/v1/shadow": {"put": {"operationId": "set_shadow", **shadow}},
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "caller": {"type": "http", "scheme": "bearer", "description": "A key, or an identity."}
            },
        },
    }


def _operation(summary: str, answer: str, faults: str) -> Json:
    responses: Json = {"200": {"description": "Done.", "content": _json(answer)}}
    for status in faults.split():
        responses[status] = {"description": FAULTS[status], "content": _json("RouterError")}
        if status in ("429", "503"):
            wait = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            responses[status]["headers"] = {"Retry-After": wait}
    return {"summary": summary, "tags": ["models"], "security": [{"caller": []}], "responses": responses}


def _json(model: str) -> Json:
    return {"application/json": {"schema": {"$ref": REF.format(model=model)}}}


def _body(model: str) -> Json:
    return {"required": True, "content": _json(model)}


def _parameter(name: str, where: str, text: str) -> Json:
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": "string"}, "description": text}


def _event() -> Json:
    chunk: Json = {"contentMediaType": "application/json", "contentSchema": {"$ref": REF.format(model="Chunk")}}
    data = {"type": "string", **chunk}
    return {"type": "object", "description": "One event.", "required": ["data"], "properties": {"data": data}}
