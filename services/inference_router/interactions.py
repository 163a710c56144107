"""Interactions: what is noted of a request from its first byte to its last, and the one event it ends in."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from services.inference_router.routing import Target
from services.inference_router.sse import Answer
from shared.coach.vocabulary import PromptType
from shared.events import AiInteraction

Status = Literal["answered", "refused", "aborted", "failed"]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a version is made of, as its manifest says."""

    base_model: str | None = None
    adapter_sha256: str | None = None


MOST_CHARACTERS: Final = 1_000_000
"""A message on the bus holds ten megabytes; a model server that answers more than this is broken."""
NOTHING: Final = Answer()
UNKNOWN: Final = Lineage()


@dataclass(slots=True)
class Interaction:
    """A request so far; times are of the monotonic clock."""

    request_id: str
    caller: str
    user: str | None
    prompt_type: PromptType | None
    alias: str = ""
    stream: bool = False
    prompt: str | None = None
    target: Target | None = None
    lineage: Lineage = UNKNOWN
    answer: Answer = NOTHING
    status: Status = "failed"
    reason: str | None = None
    began: float = field(default_factory=time.monotonic)
    admitted: float | None = None
    first_token: float | None = None
    ended: float | None = None
    cost_usd: float | None = None
    context: dict[str, str] = field(default_factory=dict)
    interaction_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    occurred_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def end(self, status: Status, reason: str | None = None) -> None:
        """Note how it ended; the first word stands."""
        if self.ended is None:
            self.status, self.reason, self.ended = status, reason, time.monotonic()

    def admit(self) -> None:
        """Note that a slot is its own from now on."""
        self.admitted = time.monotonic()

    def served_s(self) -> float:
        """Return how long it has had a slot."""
        return 0.0 if self.admitted is None else time.monotonic() - self.admitted

    def since_began_ms(self, moment: float | None) -> float | None:
        """Return how long after the beginning a moment was."""
        return None if moment is None else round((moment - self.began) * 1000, 3)

    def event(self) -> AiInteraction:
        """Return the event."""
        answer, target = self.answer, self.target
        return AiInteraction(
            interaction_id=self.interaction_id,
            request_id=self.request_id,
            occurred_at=self.occurred_at,
            user_id=self.user,
            caller=self.caller,
            prompt_type=self.prompt_type,
            alias=self.alias,
            model_version=target.version if target else None,
            base_model=self.lineage.base_model,
            adapter_sha256=self.lineage.adapter_sha256,
            status=self.status,
            reason=self.reason,
            stream=self.stream,
            prompt=self.prompt,
            response=answer.text[:MOST_CHARACTERS] or None,
            prompt_uri=None,
            response_uri=None,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            latency_ms=self.since_began_ms(self.ended) or 0.0,
            ttft_ms=self.since_began_ms(self.first_token),
            queue_ms=self.since_began_ms(self.admitted),
            cost_usd=self.cost_usd,
            safety_flags=(),
            context=self.context,
        )
