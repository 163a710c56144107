"""Completion: one /chat/completions request, and what its answer means; pure.

2xx with a chat completion   Completion
2xx without one              Garbled     may be retried, and was paid for
429                          Throttled   may be retried, after Retry-After where it is given
5xx                          Failed      may be retried
anything else                Rejected    names the status, the endpoint's message, and the field of
                                         the config to look at; redirects too, since a key must not
                                         follow them
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from functions.teacher.asks import Ask
from functions.teacher.cache import cache_key
from shared.coach.vocabulary import PromptType
from shared.coach.wire import answer_schema
from shared.errors import Rejected
from shared.records import FinishReason
from shared.run_config import OpenAICompatibleTeacher

FIELDS_TO_CHECK = {
    400: "teacher.model, teacher.structured_output and teacher.max_output_tokens",
    401: "teacher.api_key_env",
    403: "teacher.api_key_env and teacher.model",
    404: "teacher.base_url and teacher.model",
    413: "teacher.max_output_tokens",
    422: "teacher.structured_output",
    429: "the account behind teacher.api_key_env",
}
FINISH_REASONS: dict[str | None, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
CHARS_PER_TOKEN = 4
LONGEST_MESSAGE = 300


class Usage(NamedTuple):
    """Tokens of a request."""

    prompt_tokens: int
    completion_tokens: int

    @property
    def tokens(self) -> int:
        """Return both together."""
        return self.prompt_tokens + self.completion_tokens

    def cost_usd(self, settings: OpenAICompatibleTeacher) -> float:
        """Return what they cost."""
        return (
            self.prompt_tokens * settings.usd_per_million_prompt_tokens
            + self.completion_tokens * settings.usd_per_million_completion_tokens
        ) / 1_000_000


NOTHING = Usage(0, 0)


class Retryable(Exception):
    """An attempt that came to nothing, and what it used; None where that cannot be known."""

    def __init__(self, reason: str, usage: Usage | None = NOTHING, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.usage = usage
        self.retry_after_s = retry_after_s


class Throttled(Retryable):
    """The endpoint wants fewer requests."""


class Failed(Retryable):
    """The endpoint did not answer, or said that it could not."""


class Garbled(Failed):
    """The endpoint answered something that is not a chat completion."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request body, what it is known by, and what it may use."""

    key: str
    body: bytes
    expected: Usage
    """A fair guess, for pacing."""
    most: Usage
    """A bound, for the budget: no token is shorter than a byte."""


class HttpAnswer(NamedTuple):
    """What came back over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Completion(NamedTuple):
    """A model's answer; the text is empty only where the finish reason says why."""

    text: str
    finish_reason: FinishReason
    request_id: str | None
    usage: Usage


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Used(BaseModel):
    prompt_tokens: Annotated[int, Field(ge=0)]
    completion_tokens: Annotated[int, Field(ge=0)] = 0


class _Body(BaseModel):
    id: str | None = None
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: _Used | None = None


class _BodyUsage(BaseModel):
    usage: _Used


def endpoint(settings: OpenAICompatibleTeacher) -> str:
    """Return the base URL without a slash at its end."""
    return settings.base_url.rstrip("/")


def build_request(settings: OpenAICompatibleTeacher, ask: Ask) -> Request:
    """Return the request that asks a prompt; equal prompts and settings give equal keys."""
    system, user = ask.prompt.system, ask.prompt.user
    fields: dict[str, object] = {
        "model": settings.model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_output_tokens,
    }
    if settings.structured_output != "none":
        fields["response_format"] = _response_format(settings.structured_output, ask.prompt_type)
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Request(
        key=cache_key(endpoint(settings), body),
        body=body,
        expected=Usage((len(system) + len(user)) // CHARS_PER_TOKEN, settings.max_output_tokens // 2),
        most=Usage(len(body), settings.max_output_tokens),
    )


@cache
def _response_format(kind: str, prompt_type: PromptType) -> dict[str, object]:
    if kind == "json_object":
        return {"type": "json_object"}
    schema = {"name": prompt_type, "strict": True, "schema": answer_schema(prompt_type)}
    return {"type": "json_schema", "json_schema": schema}


def read_answer(answer: HttpAnswer, request: Request, secret: str | None) -> Completion:
    """Return the completion in an answer; raises Garbled, Throttled, Failed or Rejected (no secret in it)."""
    status = answer.status
    if 200 <= status < 300:
        return _read_completion(answer, request)
    message = _message(answer.body, secret)
    if status >= 500:
        raise Failed(f"HTTP {status}: {message}", retry_after_s=_retry_after_s(answer.headers))
    if status == 429 and b"insufficient_quota" not in answer.body:
        raise Throttled(f"HTTP 429: {message}", retry_after_s=_retry_after_s(answer.headers))
    raise Rejected(
        f"the teacher's endpoint answered HTTP {status}: {message};"
        f" look at {FIELDS_TO_CHECK.get(status, 'teacher.base_url')}"
    )


def _read_completion(answer: HttpAnswer, request: Request) -> Completion:
    try:
        body = _Body.model_validate_json(answer.body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "body"
        usage = _usage_of_garble(answer.body, request)
        raise Garbled(f"not a chat completion ({where}: {fault['msg']})", usage) from None
    choice = body.choices[0]
    text = choice.message.content or ""
    usage = _read_usage(body.usage) if body.usage else _estimate(len(text), request)
    finish = "content_filter" if choice.message.refusal and not text else choice.finish_reason
    reason = FINISH_REASONS.get(finish, "stop")
    if not text.strip() and reason == "stop":
        raise Garbled("an empty answer", usage)
    return Completion(text, reason, answer.headers.get("x-request-id") or body.id, usage)


def _usage_of_garble(body: bytes, request: Request) -> Usage:
    try:
        return _read_usage(_BodyUsage.model_validate_json(body).usage)
    except ValidationError:
        return _estimate(len(body), request)


def _read_usage(used: _Used) -> Usage:
    return Usage(used.prompt_tokens, used.completion_tokens)


def _estimate(answer_chars: int, request: Request) -> Usage:
    written = math.ceil(answer_chars / CHARS_PER_TOKEN)
    return Usage(request.expected.prompt_tokens, min(written, request.most.completion_tokens))


def _message(body: bytes, secret: str | None) -> str:
    text = body[:100_000].decode(errors="replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = text
    while isinstance(found, dict):
        found = found.get("error") or found.get("message") or found.get("detail") or text
    told = str(found).replace(secret, "[key]") if secret else str(found)
    clean = " ".join("".join(c if c.isprintable() else " " for c in told).split())
    return clean[:LONGEST_MESSAGE] or "no message"


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(http_date: str) -> float:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return math.nan
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
