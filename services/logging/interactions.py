"""Interactions: what users and models said to each other, kept for a while, without what identifies people."""

import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson

from services.logging.bodies import (
    InteractionsQuery,
)
from services.logging.paging import after, cursor
from services.logging.redaction import redacted
from services.logging.schemas import (
    Interaction,
    Interactions,
)
from shared.database import Database
from shared.errors import InvalidFields, Unauthenticated
from shared.events import AiInteraction
from shared.statements import Statement

KEEP: Final = Statement("""
    INSERT INTO logging.interactions (interaction_id, user_id, occurred_at, expires_at, request_id, caller, prompt_type,
      alias, model_version, base_model, adapter_sha256, status, reason, stream, prompt, response, prompt_uri,
      response_uri, prompt_tokens, completion_tokens, latency_ms, ttft_ms, queue_ms, cost_usd, safety_flags, context)
    VALUES (:interaction_id, :user_id, :occurred_at, :expires_at, :request_id, :caller, :prompt_type,
      :alias, :model_version, :base_model, :adapter_sha256, :status, :reason, :stream, :prompt, :response, :prompt_uri,
      :response_uri, :prompt_tokens, :completion_tokens, :latency_ms, :ttft_ms, :queue_ms, :cost_usd,
      ARRAY(SELECT jsonb_array_elements_text(:safety_flags::jsonb)), :context)
    ON CONFLICT DO NOTHING""")
LIST: Final = Statement("""
    SELECT interaction_id, occurred_at, prompt_type, model_version, base_model, adapter_sha256, status, reason, prompt,
      response, prompt_tokens, completion_tokens, latency_ms, ttft_ms, cost_usd, to_json(safety_flags)::text
    FROM logging.interactions
    WHERE user_id = :user_id
      AND (:moment::timestamptz IS NULL OR (occurred_at, interaction_id) < (:moment, :interaction_id::uuid))
    ORDER BY occurred_at DESC, interaction_id DESC LIMIT :limit""")
FORGET: Final = Statement("DELETE FROM logging.interactions")
"""Run without a user, for whom the policy `expired` leaves just what is past its time."""
FORGET_EVERY_S: Final = 3600.0
PLAIN: Final = (
    "interaction_id", "occurred_at", "prompt_type", "alias", "model_version", "base_model", "adapter_sha256",
    "status", "stream", "prompt_uri", "response_uri", "prompt_tokens", "completion_tokens", "latency_ms", "ttft_ms",
    "queue_ms", "cost_usd",
)  # fmt: skip


class PostgresInteractions:
    """What was said, by whom."""

    def __init__(self, database: Database, kept_days: int) -> None:
        self._database = database
        self._kept = timedelta(days=kept_days)
        self._forgot_at = time.monotonic()

    def keep(self, event: AiInteraction) -> None:
        """Keep an interaction; one that comes again, or whose user is gone, changes nothing."""
        user_id = _uuid(event.user_id)
        values = {name: getattr(event, name) for name in PLAIN}
        keeping = KEEP(
            **values,
            user_id=user_id,
            expires_at=event.occurred_at + self._kept,
            request_id=event.request_id[:200].replace("\x00", ""),
            caller=event.caller[:200].replace("\x00", ""),
            reason=redacted(event.reason),
            prompt=redacted(event.prompt),
            response=redacted(event.response),
            safety_flags=orjson.dumps(event.safety_flags),
            context=orjson.dumps({name: redacted(value) for name, value in event.context.items()}),
        )
        with suppress(Unauthenticated):
            self._database.run(user_id, keeping)
        if time.monotonic() - self._forgot_at > FORGET_EVERY_S:
            self.forget_expired()

    def forget_expired(self) -> None:
        """Delete what is past its time."""
        self._forgot_at = time.monotonic()
        self._database.run(None, FORGET())

    def page(self, user_id: str, query: InteractionsQuery) -> Interactions:
        """Return a page of a user's interactions, the latest first."""
        moment, interaction_id = after(query.cursor, 2)
        try:
            since = datetime.fromisoformat(moment) if moment else None
        except ValueError as exc:
            raise InvalidFields((("cursor", "is not one that was given"),)) from exc
        listing = LIST(user_id=user_id, moment=since, interaction_id=_uuid(interaction_id), limit=query.limit + 1)
        (found,) = self._database.run(user_id, listing)
        names = Interaction.model_fields
        lines = [
            Interaction.model_validate(dict(zip(names, (*row[:-1], orjson.loads(row[-1])), strict=True)))
            for row in found
        ]
        more = len(lines) > query.limit
        lines = lines[: query.limit]
        last = lines[-1] if more else None
        return Interactions.model_construct(
            interactions=tuple(lines), next=cursor(last.occurred_at, last.interaction_id) if last else None
        )


def _uuid(text: str | None) -> str | None:
    """Return an id as Postgres has it; None for what is no user's id, such as the name of an API key's holder."""
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None
