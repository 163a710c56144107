"""Asks: what a remote or recorded teacher is asked, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.coach.vocabulary import PromptType
from shared.prompt import Prompt
from shared.records import TeacherCall


@dataclass(frozen=True, slots=True)
class Ask:
    """A rendered prompt, and the query it stands for."""

    query_id: str
    prompt: Prompt
    prompt_type: PromptType


@dataclass(frozen=True, slots=True)
class Reply:
    """What a teacher wrote, as it wrote it; `error` says why `text` is empty where nothing usable came."""

    query_id: str
    text: str
    call: TeacherCall
    cache_key: str | None = None
    error: str | None = None
    model: str | None = None
    """Who answered, where a recording says so; else the model that the run's config names."""


class Teacher(Protocol):
    """Whoever answers prompts."""

    def ask_all(self, asks: Sequence[Ask]) -> list[Reply]:
        """Return one reply per ask, in order; raises Rejected, Unavailable or Stopped."""
