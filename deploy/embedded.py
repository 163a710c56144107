"""Embedded: the stack that needs nothing but pip, for as long as one command runs."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.dispatcher import Dispatcher
from deploy.topology import topology
from shared import dead_letters, run_state
from shared.artifacts import ArtifactStore
from shared.bus import Outbox, message
from shared.dead_letters import DeadLetter
from shared.errors import Unavailable
from shared.event import Event
from shared.events import ConfigDropped
from shared.log import log_to
from shared.process_jobs import ProcessLauncher
from shared.runtime import Runtime, build, use
from shared.settings import Settings

LOOK_AFTER_JOBS_S = 2.0

Tick = Callable[[], None]


class Embedded:
    """A directory, its documents, and a dispatcher with its workers running."""

    goes_on = False

    def __init__(self, around: Runtime, dispatcher: Dispatcher) -> None:
        self.runtime = around
        self._dispatcher = dispatcher
        self._jobs = ProcessLauncher(around.settings)
        self._next_look = 0.0

    def drop(self, name: str, data: bytes) -> ConfigDropped:
        """Keep the config, and send the run's first event."""
        dropped = self.runtime.inbox.drop(name, data)
        self._dispatcher.publish(message(dropped))
        return dropped

    def resume(self, run_id: str) -> None:
        """Send the run's first event again: artifacts say what is left to do. Raises NotFound."""
        dropped = self.runtime.inbox.find(run_id)
        dead_letters.drop_of_run(self.runtime.documents, run_id)
        run_state.finish(self.runtime.documents, run_id, "running")
        self._dispatcher.publish(message(dropped))

    def replay(self, letters: Sequence[DeadLetter]) -> set[str]:
        """Deliver the letters to the functions that could not take them, and work on from there."""
        dead_letters.let_go_on(self.runtime.documents, letters)
        for letter in letters:
            self._dispatcher.replay(letter)
        self._dispatcher.run_until_idle(lambda: None)
        return {letter.id for letter in letters if dead_letters.is_there(self.runtime.documents, letter.id)}

    def follow(self, run_id: str, tick: Tick) -> None:
        """Work until nothing is left to do."""
        del run_id
        self._dispatcher.run_until_idle(tick)

    def publish(self, event: Event) -> None:
        """Put an event among those to be delivered."""
        self._dispatcher.publish(message(event))

    def work_until(self, over: Callable[[], bool], tick: Tick) -> None:
        """Deliver, whoever published, until something has come to be."""

        def look_around() -> None:
            self.look_after_jobs()
            tick()

        self._dispatcher.run_until(over, look_around)

    def work_off(self, tick: Tick) -> None:
        """Deliver what there is to deliver, whoever published it."""
        self.look_after_jobs()
        self._dispatcher.run_until_idle(tick)

    def look_after_jobs(self) -> None:
        """Tell of training jobs whose keepers were killed, now and then."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_AFTER_JOBS_S
            self._jobs.tell_of_unseen_ends(self.runtime.bus)

    def files(self, run_id: str) -> ArtifactStore:
        """Return the artifact store, whose artifacts are files."""
        del run_id
        return self.runtime.store


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
    services = around.settings.service_urls
    dispatcher = Dispatcher(topology(), around.settings, around.documents, workers, services=services)
    use(build(around.settings, Outbox(dispatcher.publish)))
    with dispatcher.running():
        yield Embedded(around, dispatcher)
