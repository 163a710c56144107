"""Runtime: which store, bus, documents and inbox this process uses. The only place that knows the stack."""

from dataclasses import dataclass

from shared.artifacts import ArtifactStore, DirectoryStore
from shared.bus import Bus, Message, Outbox
from shared.documents import Documents, SqliteDocuments
from shared.errors import Unavailable
from shared.inbox import DirectoryInbox, Inbox
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process works with."""

    settings: Settings
    store: ArtifactStore
    bus: Bus
    documents: Documents
    inbox: Inbox


_current: Runtime | None = None


def runtime() -> Runtime:
    """Return this process's runtime, made from its settings at the first call."""
    global _current
    if _current is None:
        _current = build(Settings())
    return _current


def use(chosen: Runtime) -> None:
    """Work with this runtime from now on: the command line and tests choose their own."""
    global _current
    _current = chosen


def build(settings: Settings, bus: Bus | None = None) -> Runtime:
    """Return the runtime of a stack; raises Unavailable where this version has no such stack."""
    if settings.stack != "embedded":
        raise Unavailable(f"stack {settings.stack!r} is not there yet; use FITSENSE_STACK=embedded")
    root = settings.out.absolute()
    return Runtime(
        settings=settings,
        store=DirectoryStore(root),
        bus=bus or Outbox(_nobody_listens),
        documents=SqliteDocuments(root / "documents.sqlite"),
        inbox=DirectoryInbox(root / "configs"),
    )


def _nobody_listens(message: Message) -> None:
    raise Unavailable(f"no dispatcher runs in this process to deliver {message.topic}")
