"""Telemetry: a service's counts and times for Prometheus, and spans for whoever collects traces.

One worker a process, so the registry of this process has all of it. Spans follow W3C's traceparent in and out;
they cost nothing where no collector is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Tracer
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a service measures of itself."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    tracer: Tracer | None

    def count(self, route: str, method: str, status: int, took_s: float) -> None:
        """Count one request."""
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route).observe(took_s)

    def begin(self, name: str, headers: Mapping[str, str]) -> Span | None:
        """Begin the span of a request, as a child of the caller's; headers by their names in lower case."""
        if self.tracer is None:
            return None
        return self.tracer.start_span(name, context=propagate.extract(headers), kind=SpanKind.SERVER)

    def text(self) -> bytes:
        """Return everything in Prometheus's format."""
        return generate_latest(self.registry)


def telemetry(service: str, traces_url: str = "", exporter: "SpanExporter | None" = None) -> Telemetry:
    """Return a service's telemetry; spans go to a collector's URL, or to an exporter."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return Telemetry(
        registry=registry,
        requests=Counter("fitsense_requests", "Requests answered.", ("route", "method", "status"), registry=registry),
        seconds=Histogram(
            "fitsense_request_seconds", "Until the answer began.", ("route",), buckets=BUCKETS_S, registry=registry
        ),
        tracer=make_tracer(service, traces_url, exporter),
    )


def outgoing(request_id: str, span: Span | None) -> dict[str, str]:
    """Return the headers by which a call to another service belongs to this request."""
    headers = {"X-Request-Id": request_id}
    if span is not None:
        propagate.inject(headers, context=trace.set_span_in_context(span))
    return headers


def make_tracer(service: str, url: str, exporter: "SpanExporter | None" = None) -> Tracer | None:
    """Return what makes a service's spans; None where nobody collects them."""
    if not url and exporter is None:
        return None
    # Imported here: the SDK and its exporter take memory and a part of a second.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    return provider.get_tracer("fitsense")
