"""Metrics: what Prometheus is told; the names begin with fitsense_router_."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from services.inference_router.active_users import ActiveUsers
from services.inference_router.admission import PRIORITIES
from services.inference_router.backends import Backends
from services.inference_router.interactions import Interaction
from services.inference_router.outbox import Outbox

BREAKER = {"closed": 0, "half_open": 1, "open": 2}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
RATES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
NONE = "none"


class Metrics:
    """Counters of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._counter("requests", "Requests by how they ended", "version", "status")
        self._rejections = self._counter("rejections", "Requests that no model answered, by reason", "reason")
        self._tokens = self._counter("tokens", "Tokens read and written", "version", "kind")
        self._cost = self._counter("cost_usd", "What answers cost", "version")
        self._wait = self._histogram("queue_wait_seconds", "Until a slot was free", SECONDS)
        self._first = self._histogram("first_token_seconds", "From a request to its first token", SECONDS, "version")
        self._whole = self._histogram("answer_seconds", "From a request to the end of its answer", SECONDS, "version")
        self._rate = self._histogram("tokens_per_second", "Of one answer, once it had begun", RATES, "version")
        self._in_flight = self._gauge("in_flight", "Requests with a model server", "backend")
        self._depth = self._gauge("queue_depth", "Requests that wait for a slot", "backend", "priority")
        self._breaker = self._gauge("breaker_state", "0 closed, 1 half open, 2 open", "backend")
        self._people = self._gauge("active_users", "People who have asked within a day")
        self._users = ActiveUsers()
        self._pending = self._gauge("outbox_pending_bytes", "Interactions that wait for the bus")

    def count(self, noted: Interaction) -> None:
        """Count a request that has ended."""
        version = noted.target.version if noted.target else NONE
        self._requests.labels(version, noted.status).inc()
        if noted.user is not None:
            self._users.note(noted.user, noted.began)
        if noted.status != "answered":
            self._rejections.labels(noted.context.get("code", noted.status)).inc()
        if noted.admitted is not None:
            self._wait.observe(noted.admitted - noted.began)
        if noted.cost_usd:
            self._cost.labels(version).inc(noted.cost_usd)
        if noted.status == "answered" and noted.ended is not None:
            self._answered(noted, version, noted.ended)

    def _answered(self, noted: Interaction, version: str, ended: float) -> None:
        self._whole.labels(version).observe(ended - noted.began)
        written = noted.answer.completion_tokens or 0
        self._tokens.labels(version, "prompt").inc(noted.answer.prompt_tokens or 0)
        self._tokens.labels(version, "completion").inc(written)
        if noted.first_token is not None:
            self._first.labels(version).observe(noted.first_token - noted.began)
        begun = noted.first_token or noted.admitted
        if begun is not None and written > 1 and ended > begun:
            self._rate.labels(version).observe(written / (ended - begun))

    def text(self, backends: Backends, outbox: Outbox) -> bytes:
        """Return everything in Prometheus' format, with what stands now."""
        now = time.monotonic()
        for backend in backends:
            self._in_flight.labels(backend.url).set(backend.turnstile.in_flight)
            self._breaker.labels(backend.url).set(BREAKER[backend.breaker.state(now)])
            for priority in PRIORITIES:
                self._depth.labels(backend.url, priority).set(backend.turnstile.depth(priority))
        self._people.set(self._users.count(now))
        self._pending.set(outbox.pending_bytes)
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"fitsense_router_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"fitsense_router_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"fitsense_router_{name}", text, labels, buckets=buckets, registry=self.registry)
