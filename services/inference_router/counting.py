"""Counting: how many tokens a prompt has, by the tokenizer and chat template of the model that will read it.

Encoding 4,096 tokens takes milliseconds, and nearly every prompt is far below its limit. A token stands for one byte
at least, so a prompt's bytes and what the template adds bound its tokens from above; only a prompt whose bound is
over the limit is encoded. The count then is exact: it is what the model server will find.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import jinja2
import orjson
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from shared.errors import Rejected

Messages = Sequence[dict[str, str]]
SLACK_TOKENS = 16
ROLES = ("system", "user", "assistant")


class Counter(Protocol):
    """Counts a model's tokens."""

    def bound(self, messages: Messages) -> int:
        """Return a number of tokens that messages do not exceed, in no time."""

    def count(self, messages: Messages) -> int:
        """Return the number of tokens of messages; raises Rejected where the template does not take them."""


class TokenizerCounter:
    """The files of a model folder: tokenizer.json, tokenizer_config.json, and chat_template.jinja where it is apart."""

    def __init__(self, tokenizer: bytes, config: bytes, template: str | None = None) -> None:
        self._tokenizer = Tokenizer.from_buffer(tokenizer)
        settings = orjson.loads(config)
        self._special = {name: _token(settings.get(name)) for name in ("bos_token", "eos_token", "pad_token")}
        self._template = _environment().from_string(template or settings["chat_template"])
        self._frame = len(self._text([{"role": "user", "content": ""}]).encode())
        self._each = max(map(self._adds, ROLES))

    def bound(self, messages: Messages) -> int:
        """Count bytes."""
        said = sum(len(message["content"].encode()) for message in messages)
        return said + self._frame + self._each * len(messages) + SLACK_TOKENS

    def count(self, messages: Messages) -> int:
        """Render and encode."""
        return len(self._tokenizer.encode(self._text(messages), add_special_tokens=False).ids)

    def _adds(self, role: str) -> int:
        """Return how many bytes a message of a role adds, or 0 where the template does not take one there."""
        user = {"role": "user", "content": ""}
        both = (
            [{"role": role, "content": ""}, user] if role == "system" else [user, {"role": role, "content": ""}, user]
        )
        try:
            return len(self._text(both).encode()) - self._frame
        except Rejected:
            return 0

    def _text(self, messages: Messages) -> str:
        try:
            return self._template.render(messages=messages, add_generation_prompt=True, **self._special)
        except jinja2.TemplateError as exc:
            raise Rejected(f"the model's chat template does not take these messages: {exc}") from exc


class _Generation(Extension):
    """`{% generation %}`: marks for trainers what an assistant says; here it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return what stands between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> jinja2.Environment:
    """Return jinja as chat templates expect it, without anything that a template could do harm with."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )
    environment.globals |= {"raise_exception": _refuse, "strftime_now": lambda form: f"{datetime.now(UTC):{form}}"}
    environment.filters["tojson"] = lambda value, **_: orjson.dumps(value).decode()
    return environment


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _token(value: Any) -> str:
    """Return a special token's text, which some files wrap into an object."""
    return str(value.get("content", "") if isinstance(value, dict) else value or "")
