"""Interactions: answers that no model gave, as the events that logging keeps; the router tells of all others."""

from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from services.plan.answers import RULE_BASED, Request
from services.plan.coaching import Finished
from shared.coach.wire import encode
from shared.events import AiInteraction

CALLER: Final = "plan"


def interaction(request: Request, finished: Finished) -> AiInteraction | None:
    """Return the event of an answer that triage or the rule-based coach gave; None for a model's."""
    writer = finished.writer
    if writer.kind == "model":
        return None
    return AiInteraction(
        interaction_id=str(uuid5(NAMESPACE_URL, f"fitsense:interaction:{request.request_id}:{writer.kind}")),
        request_id=request.request_id,
        occurred_at=datetime.now(UTC),
        user_id=request.user_id,
        caller=CALLER,
        prompt_type=request.prompt_type,
        alias="triage" if writer.kind == "triage" else RULE_BASED,
        model_version=None,
        base_model=None,
        adapter_sha256=None,
        status="fallback",
        reason=writer.reason or "warning_sign",
        stream=False,
        prompt=request.words,
        response=encode(finished.answer),
        prompt_uri=None,
        response_uri=None,
        prompt_tokens=None,
        completion_tokens=None,
        latency_ms=0.0,
        ttft_ms=None,
        queue_ms=None,
        cost_usd=None,
        safety_flags=(finished.answer.escalation,) if finished.answer.escalation != "none" else (),
        context={"intent": request.scenario.intent},
    )
