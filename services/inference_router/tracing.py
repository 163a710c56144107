"""Tracing: a span for each request, a child of its caller's and the parent of what the model server makes.

Nothing where no collector is named: then the caller's trace goes through to the model server as it came.
"""

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from services.inference_router.interactions import Interaction

NAME = "POST /v1/chat/completions"


class Tracing:
    """Begins spans and ends them."""

    def __init__(self, tracer: Tracer | None) -> None:
        self._tracer = tracer
        self._open: dict[str, Span] = {}

    def begin(self, interaction: Interaction, traceparent: str) -> None:
        """Begin the span of a request, as part of its caller's trace where it has one."""
        headers = {"traceparent": traceparent[:100]} if traceparent else {}
        if self._tracer is not None:
            span = self._tracer.start_span(NAME, context=propagate.extract(headers), kind=SpanKind.SERVER)
            self._open[interaction.interaction_id] = span
            propagate.inject(headers, context=trace.set_span_in_context(span))
        if headers:
            interaction.context["traceparent"] = headers["traceparent"]

    def end(self, interaction: Interaction) -> None:
        """End it, with what came of the request."""
        span = self._open.pop(interaction.interaction_id, None)
        if span is None:
            return
        found: dict[str, str | float | None] = {
            "fitsense.status": interaction.status,
            "fitsense.reason": interaction.reason,
            "fitsense.alias": interaction.alias,
            "fitsense.queue_ms": interaction.since_began_ms(interaction.admitted),
            "fitsense.ttft_ms": interaction.since_began_ms(interaction.first_token),
            "gen_ai.response.model": interaction.target.version if interaction.target else None,
            "gen_ai.usage.input_tokens": interaction.answer.prompt_tokens,
            "gen_ai.usage.output_tokens": interaction.answer.completion_tokens,
        }
        span.set_attributes({name: value for name, value in found.items() if value is not None})
        if interaction.status == "failed":
            span.set_status(Status(StatusCode.ERROR))
        span.end()
