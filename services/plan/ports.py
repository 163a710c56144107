"""Ports: what the plan service needs from outside, as types; nothing here does anything."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from shared.coach.profile import UserProfile
from shared.coach.vocabulary import PromptType
from shared.frozen import Frozen
from shared.log_summary import LogSummary

Priority = Literal["interactive", "background"]


class Turn(Frozen):
    """One turn of a conversation with a model."""

    role: Literal["user", "assistant"]
    content: str


class Ask(Frozen):
    """What a model is asked, and for whom."""

    system: str
    turns: tuple[Turn, ...]
    prompt_type: PromptType
    user_id: str
    request_id: str
    model: str = "student"
    grammar: str | None = None
    max_tokens: int = 1024
    temperature: float = 0.3
    seed: int | None = None
    priority: Priority = "interactive"


class Answering(Protocol):
    """An answer while it is written."""

    version: str | None
    """Which model version writes it, once it has told."""

    @property
    def truncated(self) -> bool: ...

    def __iter__(self) -> Iterator[str]: ...


class Model(Protocol):
    """Whoever can be asked; raises ModelFailed."""

    def ask(self, ask: Ask) -> AbstractContextManager[Answering]: ...


class People(Protocol):
    """What the other services know of a person; raises Unavailable, NotFound without a profile."""

    def profile(self, user_id: str) -> UserProfile: ...
    def summary(self, user_id: str, planned: int) -> LogSummary | None:
        """Return what a coach reads out of a log, with so many sessions planned a week; None without a log."""
