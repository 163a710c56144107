"""Agent: keeps vLLM holding what its environment has promoted.

    told of a promotion   fetch ─► check every sha256 ─► load beside the others ─► golden prompt ─► model-served
                          whatever stands in the way for good ─► model-load-failed; what answered goes on answering
    between messages      what the registry says is served is loaded, also after vLLM or this machine started anew

Everything may come twice: a version that is loaded is not loaded again, and is told of again, since the first telling
may have been lost. A message is acknowledged after the telling, and kept by extending it while there is work.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from shared.artifacts import ArtifactStore
from shared.bus import Bus, event_in
from shared.documents import Documents
from shared.errors import Rejected, Unavailable
from shared.event import run_of
from shared.events import ModelLoadFailed, ModelPromoted, ModelServed
from shared.pull import Received, Subscription
from shared.registry import Pointer, pointer, read_manifest
from vllm_vm.adapters import clean, fetch
from vllm_vm.probe import probe
from vllm_vm.settings import AgentSettings

REASON_CHARACTERS = 500
log = logging.getLogger("fitsense.agent")


class Engine(Protocol):
    """The model server."""

    def adapters(self) -> dict[str, Path]:
        """Return the adapters it holds."""

    def base(self) -> str:
        """Return the name of the base that it was started on."""

    def load(self, name: str, folder: Path) -> None:
        """Have it hold one more."""

    def unload(self, name: str) -> None:
        """Have it drop one."""

    def complete(self, body: dict[str, object], within_s: float) -> str:
        """Return an answer."""


class Agent:
    """The agent of one model server."""

    def __init__(
        self,
        settings: AgentSettings,
        store: ArtifactStore,
        documents: Documents,
        bus: Bus,
        subscription: Subscription,
        engine: Engine,
    ) -> None:
        self._settings = settings
        self._store = store
        self._documents = documents
        self._bus = bus
        self._subscription = subscription
        self._engine = engine
        self._proven: set[str] = set()
        """Versions that answered the golden prompt since they were loaded."""
        self._recent: list[str] = []
        """Versions in the order in which they were promoted, as far as this process knows; the latest last."""
        self._told: tuple[str, int] | None = None
        self._failed: set[str] = set()
        """Versions that cannot be loaded: not tried again until somebody promotes them again."""

    def run(self, stopped: threading.Event) -> None:
        """Work until stopped."""
        while not stopped.is_set():
            try:
                self.restore()
                for received in self._subscription.pull(1, self._settings.wait_s):
                    self.take(received)
            except Unavailable as exc:
                log.warning("something the agent needs is down; it tries again", extra={"error": str(exc)})
                stopped.wait(1)

    def restore(self) -> None:
        """Have vLLM hold what the registry says, where it does not, and tell of it."""
        wanted, _ = pointer(self._documents, self._settings.environment)
        if wanted is None:
            return
        held = self._engine.adapters()
        self._proven &= held.keys()
        stable = wanted.previous if wanted.percent < 100 else None
        if stable and stable not in held and stable not in self._failed:
            self._serve(stable, None)
        current = (wanted.version, wanted.percent)
        if wanted.version not in self._failed and (wanted.version not in held or self._told != current):
            self._serve(wanted.version, wanted)

    def take(self, received: Received) -> None:
        """Do what a message asks, and acknowledge it; raises Unavailable where it gave it back."""
        with self._keeping(received):
            try:
                event = event_in(received.message)
            except Rejected as exc:
                log.error("a message is no event", extra={"error": str(exc)})
            else:
                if isinstance(event, ModelPromoted) and event.environment == self._settings.environment:
                    self._failed.discard(event.version)
                    self._promote(event)

    def _promote(self, event: ModelPromoted) -> None:
        wanted, _ = pointer(self._documents, self._settings.environment)
        if wanted and wanted.version != event.version:
            log.info("a promotion that another one has overtaken", extra={"version": event.version})
            return
        self._serve(event.version, wanted or Pointer(version=event.version, percent=event.percent, decision_id=""))

    def _serve(self, version: str, wanted: Pointer | None) -> None:
        """Have vLLM hold a version, and tell of that, or of why it does not; quietly where nothing is wanted of it."""
        settings, percent = self._settings, wanted.percent if wanted else 100
        try:
            self._hold(version)
        except Rejected as exc:
            log.error("a version cannot be served", extra={"version": version, "error": str(exc)})
            self._failed.add(version)
            reason = str(exc)[:REASON_CHARACTERS]
            failed = ModelLoadFailed(
                run_id=run_of(version),
                version=version,
                environment=settings.environment,
                backend=settings.backend_url,
                reason=reason,
            )
            self._bus.publish(failed)
            self._bus.flush()
            return
        served = ModelServed(
            run_id=run_of(version),
            version=version,
            environment=settings.environment,
            percent=percent,
            backend=settings.backend_url,
            adapter=version,
        )
        if wanted:
            self._bus.publish(served)
            self._bus.flush()
            self._told = (version, percent)
            log.info("a version is served", extra={"version": version, "percent": percent})
            self._drop_others(wanted)

    def _hold(self, version: str) -> None:
        """Have vLLM hold a version that has answered the golden prompt."""
        manifest = read_manifest(self._store, version)
        base = self._engine.base()
        if manifest.base_model != base:
            raise Rejected(f"it is an adapter to {manifest.base_model}, and vLLM was started on {base}: start it anew")
        folder = fetch(self._store, manifest, self._settings.adapters)
        held = self._engine.adapters()
        self._recent = [one for one in (*held, *self._recent) if one != version and one in held]
        self._recent = [*dict.fromkeys(self._recent), version]
        if version in self._proven and version in held:
            return
        if version not in held:
            self._engine.load(version, folder)
        try:
            probe(self._engine, version, self._settings.probe_s)
        except (Rejected, Unavailable):
            self._engine.unload(version)
            raise
        self._proven.add(version)

    def _drop_others(self, wanted: Pointer) -> None:
        """Unload all but the last few versions, and never one that answers somebody."""
        answering = {wanted.version, *([wanted.previous] if wanted.previous else [])}
        others = [version for version in self._recent if version not in answering]
        spare = max(0, self._settings.keep - len(answering))
        dropped = others[: len(others) - spare]
        for version in dropped:
            with suppress(Rejected):  # somebody else has unloaded it
                self._engine.unload(version)
            self._proven.discard(version)
        self._recent = [version for version in self._recent if version not in dropped]
        clean(self._settings.adapters, set(self._recent) | answering)

    @contextmanager
    def _keeping(self, received: Received) -> Iterator[None]:
        """Keep a message while there is work; acknowledge it, or give it back where something was down."""
        done = threading.Event()

        def extend() -> None:
            while not done.wait(self._settings.lease_s / 3):
                with suppress(Unavailable):
                    self._subscription.extend([received.ack_id], self._settings.lease_s)

        keeper = threading.Thread(target=extend, name="lease", daemon=True)
        keeper.start()
        try:
            yield
        except Unavailable:
            self._subscription.extend([received.ack_id], 0)
            raise
        finally:
            done.set()
            keeper.join()
        self._subscription.ack([received.ack_id])
