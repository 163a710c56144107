"""Connected: a stack of Google's services, in the cloud or emulated, that works by itself; this process only asks."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.embedded import Tick
from shared import dead_letters, run_state
from shared.artifacts import ArtifactStore, DirectoryStore
from shared.bus import event_in, message
from shared.dead_letters import DeadLetter
from shared.documents import Documents
from shared.errors import NotFound
from shared.event import Event
from shared.events import ConfigDropped
from shared.paths import dataset_file, report_file
from shared.runtime import Runtime

LOOK_EVERY_S = 0.3


class Connected:
    """Functions that events reach by Pub/Sub. `goes_on` where it does so without this process."""

    def __init__(self, around: Runtime, goes_on: bool) -> None:
        self.runtime = around
        self.goes_on = goes_on
        self._files = DirectoryStore(around.settings.out)

    def drop(self, name: str, data: bytes) -> ConfigDropped:
        """Drop a config in the bucket, which notifies."""
        return self.runtime.inbox.drop(name, data)

    def resume(self, run_id: str) -> None:
        """Notify of the run's config again: artifacts say what is left to do. Raises NotFound."""
        dropped = self.runtime.inbox.find(run_id)
        dead_letters.drop_of_run(self.runtime.documents, run_id)
        run_state.finish(self.runtime.documents, run_id, "running")
        self._send(dropped)

    def replay(self, letters: Sequence[DeadLetter]) -> set[str]:
        """Publish the messages again, and wait. One that nobody can read stays where it is."""
        readable = [letter for letter in letters if letter.run_id is not None and letter.event() is not None]
        dead_letters.let_go_on(self.runtime.documents, readable)
        replays = {letter.id: self._replay(letter) for letter in readable}
        while any(replay.is_under_way() for replay in replays.values()):
            time.sleep(LOOK_EVERY_S)
        return {letter.id for letter in letters if letter.id not in replays or replays[letter.id].is_dead()}

    def follow(self, run_id: str, tick: Tick) -> None:
        """Return when the run's state says that it has ended."""
        while self._status(run_id) == "running":
            tick()
            time.sleep(LOOK_EVERY_S)

    def publish(self, event: Event) -> None:
        """Publish an event, which is delivered without this process."""
        self._send(event)

    def work_until(self, over: Callable[[], bool], tick: Tick) -> None:
        """Look again and again."""
        while not over():
            tick()
            time.sleep(LOOK_EVERY_S)

    def work_off(self, tick: Tick) -> None:
        """Do nothing: everything is delivered elsewhere."""
        del tick

    def files(self, run_id: str) -> ArtifactStore:
        """Download what the run has made so far."""
        for prefix in (dataset_file(run_id, ""), report_file(run_id, "")):
            for name in self.runtime.store.names(prefix):
                if not self._files.exists(name):
                    self._files.create(name, self.runtime.store.read(name))
        return self._files

    def _status(self, run_id: str) -> run_state.RunStatus:
        try:
            return run_state.run(self.runtime.documents, run_id).status
        except NotFound:
            return "running"  # intake has not come to it yet

    def _send(self, event: Event) -> None:
        self.runtime.bus.publish(event)
        self.runtime.bus.flush()

    def _replay(self, letter: DeadLetter) -> "_Replay":
        documents, event = self.runtime.documents, event_in(letter.message())
        run_id = letter.run_id or ""
        key = run_state.delivery_key(letter.function, event)
        before = run_state.delivery(documents, run_id, key)
        dead_letters.drop(documents, letter.id)
        self._send(event)
        again = DeadLetter.of(message(event), letter.function, 0, "")
        return _Replay(documents, again.id, run_id, key, before.attempts if before else 0)


@dataclass(frozen=True, slots=True)
class _Replay:
    """A message that was published again: it is delivered once more than before, or becomes the letter again."""

    documents: Documents
    letter: str
    run_id: str
    key: str
    attempts_before: int

    def is_under_way(self) -> bool:
        found = run_state.delivery(self.documents, self.run_id, self.key)
        delivered = found is not None and found.attempts > self.attempts_before and found.status == "done"
        return not (delivered or self.is_dead())

    def is_dead(self) -> bool:
        return dead_letters.is_there(self.documents, self.letter)
