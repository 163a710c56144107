"""Runtime: which store, bus, documents and inbox this process uses. The only place that knows the stack."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from shared.artifacts import ArtifactStore, DirectoryStore
from shared.bus import Bus
from shared.documents import Documents, SqliteDocuments
from shared.inbox import DirectoryInbox, Inbox
from shared.jobs import Launchers
from shared.lease import DocumentLeases, Leases, NoLeases
from shared.log import log_to
from shared.process_jobs import ProcessLauncher
from shared.pull import SpoolSubscription, Subscription
from shared.settings import Settings
from shared.spool import Spool


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process works with."""

    settings: Settings
    store: ArtifactStore
    bus: Bus
    documents: Documents
    inbox: Inbox
    lease: Leases
    launchers: Callable[[], Launchers]
    """Where training jobs may run; made only where one is started or asked for."""
    subscription: Callable[[str], Subscription]
    """The subscription of a name, <topic>--<subscriber>, for a subscriber that asks."""


_current: Runtime | None = None
_making = threading.Lock()
"""Held while it is made, because the first two requests of a function may come at once."""


def runtime() -> Runtime:
    """Return this process's runtime, made from its settings at the first call."""
    global _current
    with _making:
        if _current is None:
            settings = Settings()
            log_to(None, settings.log_level)
            _current = build(settings)
        return _current


def use(chosen: Runtime) -> None:
    """Work with this runtime from now on: the command line and tests choose their own."""
    global _current
    _current = chosen


def build(settings: Settings, bus: Bus | None = None) -> Runtime:
    """Return the runtime of a stack; raises Unavailable where its services cannot be used from here."""
    return _embedded(settings, bus) if settings.stack == "embedded" else _google(settings, bus)


def _embedded(settings: Settings, bus: Bus | None) -> Runtime:
    root = settings.out.absolute()
    return Runtime(
        settings=settings,
        store=DirectoryStore(root),
        bus=bus or Spool(root / "bus"),
        documents=SqliteDocuments(root / "documents.sqlite"),
        inbox=DirectoryInbox(root / "configs"),
        lease=NoLeases(),
        launchers=lambda: {"subprocess": ProcessLauncher(settings)},
        subscription=lambda name: SpoolSubscription(root / "bus" / "pull" / name),
    )


def _google(settings: Settings, bus: Bus | None) -> Runtime:
    """Return the runtime of the emulators or the cloud: the same, but for where Google's clients find it."""
    # Imported here, because the embedded stack is to start without the second that Google's clients take.
    from shared.gcp import clients
    from shared.gcp.artifacts import GcsStore
    from shared.gcp.bus import PubSubBus
    from shared.gcp.documents import FirestoreDocuments
    from shared.gcp.inbox import BucketInbox
    from shared.gcp.pull import PubSubSubscription

    storage = clients.storage_client(settings.project)
    documents = FirestoreDocuments(clients.firestore_client(settings.project))
    lease = DocumentLeases(documents, settings.lease_s, settings.ack_deadline_s)
    return Runtime(
        settings=settings,
        store=GcsStore(storage, settings.artifact_bucket),
        bus=bus or PubSubBus(clients.publisher(), settings.project),
        documents=documents,
        inbox=BucketInbox(storage, settings.config_bucket),
        lease=lease,
        launchers=partial(_google_launchers, settings, lease),
        subscription=lambda name: PubSubSubscription(clients.subscriber(), settings.project, name),
    )


def _google_launchers(settings: Settings, leases: Leases) -> Launchers:
    from shared.gcp.launchers import google_launchers

    return google_launchers(settings, leases)
