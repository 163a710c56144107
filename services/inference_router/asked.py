"""Asked: a chat completion request, checked, and what of it goes to the model server.

Only fields that are known go on: a model server has more of them, and some cost much, or read files. What is not
known is refused by name, as OpenAI does. `model` never goes on: what a client writes there is an alias, and the
name that the model server knows is put in its place.
"""

from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.inference_router.api_errors import ApiError, wrong

MOST_GRAMMAR_BYTES = 524_288
MOST_MESSAGES = 64


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _TextPart(_Model):
    type: Literal["text"]
    text: str


class Message(_Model):
    """One message; content in parts is joined, because the models here read text only."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_TextPart]
    name: str | None = Field(None, max_length=64)

    @property
    def text(self) -> str:
        """What it says."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class _StreamOptions(_Model):
    include_usage: bool = False


class ChatRequest(_Model):
    """OpenAI's fields that a text model has use for, and vLLM's `structured_outputs`."""

    model: str = Field(max_length=200)
    messages: list[Message] = Field(min_length=1, max_length=MOST_MESSAGES)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    stop: str | list[str] | None = None
    seed: int | None = None
    n: Literal[1] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    response_format: dict[str, Any] | None = None
    structured_outputs: dict[str, Any] | None = None
    ignore_eos: bool | None = None
    user: str | None = Field(None, max_length=200)
    store: Literal[False] | None = None
    metadata: dict[str, str] | None = None


OWN = {"model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options"}
"""Fields that go on in a form of ours."""
FOR_US = {"user", "store", "metadata"}
"""Fields that do not go on at all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be put to a model."""

    alias: str
    messages: list[dict[str, str]]
    stream: bool
    wants_usage: bool
    most_tokens: int | None
    passed_on: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The messages as they are recorded."""
        return orjson.dumps(self.messages).decode()

    def for_upstream(self, model: str, most_tokens: int) -> bytes:
        """Return the body that the model server gets."""
        body = {**self.passed_on, "model": model, "messages": self.messages, "max_tokens": most_tokens}
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return orjson.dumps(body)


def read_request(body: bytes) -> Asked:
    """Return what a body asks for; raises ApiError naming the first wrong field."""
    try:
        fields = orjson.loads(body)
    except ValueError as exc:
        raise wrong(f"the body is not JSON: {exc}", code="invalid_json") from exc
    if not isinstance(fields, dict):
        raise wrong("the body is not a JSON object", code="invalid_json")
    try:
        request = ChatRequest.model_validate(fields)
    except ValidationError as exc:
        raise _fault(exc) from exc
    _check_structure(request)
    return Asked(
        alias=request.model,
        messages=[{"role": one.role, "content": one.text} for one in request.messages],
        stream=bool(request.stream),
        wants_usage=bool(request.stream_options and request.stream_options.include_usage),
        most_tokens=request.max_completion_tokens or request.max_tokens,
        passed_on={name: value for name, value in fields.items() if name in _PASSED_ON and value is not None},
    )


_PASSED_ON = ChatRequest.model_fields.keys() - OWN - FOR_US


def _check_structure(request: ChatRequest) -> None:
    if request.structured_outputs and request.response_format and request.response_format.get("type") != "text":
        raise wrong("structured_outputs and response_format exclude each other", "structured_outputs")
    for name in ("structured_outputs", "response_format"):
        value = getattr(request, name)
        if value and (size := len(orjson.dumps(value))) > MOST_GRAMMAR_BYTES:
            raise wrong(f"{name} has {size:,} bytes; {MOST_GRAMMAR_BYTES:,} are allowed", name, "too_large")


def _fault(exc: ValidationError) -> ApiError:
    first = exc.errors(include_url=False, include_input=False)[0]
    param = ".".join(map(str, first["loc"])) or "body"
    if first["type"] == "extra_forbidden":
        return wrong(f"{param} is not a field of this API", param, "unknown_parameter")
    return wrong(f"{param}: {first['msg']}", param)
