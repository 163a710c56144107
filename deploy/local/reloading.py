"""Reloading: start a stack's processes anew when a file is saved that they run; what `fitsense up --reload` adds.

They are killed, which everything here survives: a delivery comes again, and a run goes on from its artifacts.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchfiles import DefaultFilter, watch

from deploy.local.sources import Sources
from deploy.local.stack import LocalStack

SETTLE_MS = 200
"""Editors save in several steps, and a `git checkout` saves many files."""
STOP_S = 10.0


@contextmanager
def reloading(stack: LocalStack, root: Path) -> Iterator[None]:
    """Watch a checkout's sources while the context lasts."""
    sources, stop, watching = Sources(root), threading.Event(), threading.Event()
    thread = threading.Thread(target=_watch, args=(stack, sources, stop, watching), name="reload", daemon=True)
    thread.start()
    watching.wait(STOP_S)
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_S)


def concerned(stack: LocalStack, sources: Sources, paths: set[Path]) -> list[str]:
    """Return the names of the processes that run one of these files."""
    changed = sources.changed(paths)
    return [name for name, entries in stack.sources.items() if changed & sources.closure(entries)]


def _watch(stack: LocalStack, sources: Sources, stop: threading.Event, watching: threading.Event) -> None:
    # It wakes up at once and now and then, so that `watching` is told when files are watched, and `stop` is heard.
    options = {"watch_filter": DefaultFilter(), "debounce": SETTLE_MS, "step": SETTLE_MS // 4, "rust_timeout": 500}
    for changes in watch(*sources.folders(), stop_event=stop, yield_on_timeout=True, **options):  # type: ignore[arg-type]
        watching.set()
        if names := concerned(stack, sources, {Path(path) for _, path in changes}):
            stack.start_anew(names)
