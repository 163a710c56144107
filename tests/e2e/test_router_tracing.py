"""The router in a trace: its span is a child of the caller's, and what the model server makes is a child of its own."""

from pathlib import Path

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.telemetry import make_tracer
from tests.model_server import Does, ModelServer, until
from tests.running_router import VERSION, running_router

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_a_request_is_a_span_between_its_callers_and_the_model_servers(tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    tracer = make_tracer("inference-router", "", exporter)
    with ModelServer() as model, running_router(tmp_path, model.url, tracer=tracer, breaker_failures=9) as router:
        assert router.chat(headers={"traceparent": CALLER})[0] == 200
        model.behave = lambda number, call: Does(status=500)
        assert router.chat()[0] == 502
        until(lambda: len(exporter.get_finished_spans()) == 2)
    answered, failed = exporter.get_finished_spans()
    assert f"{answered.context.trace_id:032x}" == TRACE
    assert answered.parent
    assert f"{answered.parent.span_id:016x}" == "00f067aa0ba902b7"
    passed_on = f"00-{TRACE}-{answered.context.span_id:016x}-01"
    assert model.seen.headers[0]["traceparent"] == passed_on
    assert router.bus.events[0].context["traceparent"] == passed_on
    assert answered.attributes
    assert answered.attributes["gen_ai.response.model"] == VERSION
    assert answered.attributes["gen_ai.usage.output_tokens"] == 5
    assert answered.status.is_ok
    assert not failed.status.is_ok
    assert failed.parent is None


def test_without_a_collector_a_trace_goes_through_as_it_came(tmp_path: Path) -> None:
    with ModelServer() as model, running_router(tmp_path, model.url) as router:
        assert router.chat(headers={"traceparent": CALLER})[0] == 200
        assert router.chat()[0] == 200
    assert model.seen.headers[0]["traceparent"] == CALLER
    assert "traceparent" not in model.seen.headers[1]
