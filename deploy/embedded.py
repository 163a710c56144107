"""Embedded: the stack that needs nothing but pip, for as long as one command runs."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from deploy import dead_letters
from deploy.dispatcher import Dispatcher
from deploy.topology import topology
from shared import run_state
from shared.bus import Outbox, message
from shared.errors import Unavailable
from shared.events import ConfigDropped
from shared.log import log_to
from shared.runtime import Runtime, build, use
from shared.settings import Settings

Tick = Callable[[], None]


class Embedded:
    """A directory, its documents, and a dispatcher with its workers running."""

    def __init__(self, around: Runtime, dispatcher: Dispatcher) -> None:
        self.runtime = around
        self._dispatcher = dispatcher

    def start(self, dropped: ConfigDropped) -> None:
        """Send a run's first event, for the first time or again: artifacts say what is left to do."""
        self._dispatcher.publish(message(dropped))

    def resume(self, run_id: str) -> None:
        """Let a run go on from where it is; raises NotFound where there is no such run."""
        dropped = self.runtime.inbox.find(run_id)
        for letter in dead_letters.letters(self.runtime.documents):
            if letter.run_id == run_id:
                dead_letters.drop(self.runtime.documents, letter.id)
        run_state.finish(self.runtime.documents, run_id, "running")
        self.start(dropped)

    def replay(self, letter: dead_letters.DeadLetter) -> None:
        """Deliver a dead letter once more."""
        if letter.run_id is not None:
            run_state.finish(self.runtime.documents, letter.run_id, "running")
        self._dispatcher.replay(letter)

    def run_until_idle(self, tick: Tick) -> None:
        """Work until nothing is left to do. Raises KeyboardInterrupt on Ctrl-C and SIGTERM."""
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            self._dispatcher.run_until_idle(tick)
        finally:
            signal.signal(signal.SIGTERM, before)


def open_runtime(out: Path, workers: int = 1) -> Runtime:
    """Return the runtime of a directory and use it in this process; nothing is started."""
    around = build(Settings(stack="embedded", out=out, teacher_share=workers))
    use(around)
    return around


@contextmanager
def embedded(out: Path, workers: int) -> Iterator[Embedded]:
    """Start the embedded stack on a directory; everything it started is stopped at the end."""
    around = open_runtime(out, workers)
    try:
        out.mkdir(parents=True, exist_ok=True)
        log_to(out / "log.jsonl", around.settings.log_level)
    except OSError as exc:
        raise Unavailable(f"cannot write to {out}: {exc.strerror}") from exc
    dispatcher = Dispatcher(topology(), around.settings, around.documents, workers)
    use(build(around.settings, Outbox(dispatcher.publish)))
    with dispatcher.running():
        yield Embedded(around, dispatcher)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
