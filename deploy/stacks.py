"""Stacks: what the command line works with, wherever a run is.

embedded     a dispatcher in this process, for as long as the command runs
emulators    Google's emulators on this machine: those of `fitsense up`, or else started for the command
gcp          the cloud
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Protocol

import click

from deploy.embedded import Tick, embedded, open_runtime
from deploy.preflight import usable_cores
from shared.artifacts import ArtifactStore
from shared.dead_letters import DeadLetter
from shared.documents import Documents, SqliteDocuments
from shared.errors import NotFound, Unavailable
from shared.event import Event
from shared.events import ConfigDropped
from shared.runtime import Runtime, build, use
from shared.settings import Settings, adopt
from shared.settings import Stack as StackName


class Stack(Protocol):
    """Where runs happen."""

    runtime: Runtime
    goes_on: bool
    """Whether a run goes on when the command that follows it ends."""

    def drop(self, name: str, data: bytes) -> ConfigDropped:
        """Drop a config, which starts a run."""

    def resume(self, run_id: str) -> None:
        """Let a run go on from where it is; raises NotFound where there is no such run."""

    def replay(self, letters: Sequence[DeadLetter]) -> set[str]:
        """Deliver dead letters once more; returns the ids of those that died again."""

    def follow(self, run_id: str, tick: Tick) -> None:
        """Return when a run has ended, or cannot get any further; calls `tick` now and then."""

    def publish(self, event: Event) -> None:
        """Hand an event over for delivery."""

    def work_until(self, over: Callable[[], bool], tick: Tick) -> None:
        """Return when something has come to be, delivering meanwhile; calls `tick` now and then."""

    def work_off(self, tick: Tick) -> None:
        """Deliver what is left to deliver here, so that whoever waits for it need not wait for the next command."""

    def files(self, run_id: str) -> ArtifactStore:
        """Return a store of files on this machine that has a run's dataset and reports."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which stack, and the directory that holds or is to hold its datasets."""

    stack: StackName
    out: Path

    @property
    def is_here(self) -> bool:
        """Whether the functions run on this machine, with its files and environment."""
        return self.stack != "gcp"

    @property
    def options(self) -> str:
        """The options that name this place on a command line."""
        stack = "" if self.stack == "embedded" else f" --stack {self.stack}"
        return f"--out {quote(str(self.out.absolute()))}{stack}"

    def look(self) -> Documents:
        """Return the documents of what is there, starting and making nothing; raises Unavailable."""
        if self.stack != "embedded":
            return self._join().documents
        return open_runtime(self.out).documents if self.out.is_dir() else SqliteDocuments(NOWHERE)

    def look_around(self) -> Runtime:
        """Return the documents and artifacts of what is there, starting nothing; raises NotFound or Unavailable."""
        if self.stack != "embedded":
            return self._join()
        if not self.out.is_dir():
            raise NotFound(f"there are no runs: {self.out} does not exist")
        return open_runtime(self.out)

    def open(self, workers: int | None, new: bool) -> AbstractContextManager[Stack]:
        """Start the stack, or join it where it runs. Raises NotFound where it is to be there and is not."""
        if self.stack == "embedded":
            if not new and not self.out.is_dir():
                raise NotFound(f"there are no runs: {self.out} does not exist")
            return embedded(self.out, workers or usable_cores())
        return self._connected()

    @contextmanager
    def _connected(self) -> Iterator[Stack]:
        from deploy.connected import Connected  # only where Google's clients are used

        if self.stack == "gcp" or _environment(self.out) is not None:
            yield Connected(self._join(), goes_on=True)
            return
        from deploy.local.stack import local_stack

        click.echo(f"no emulators run on {self.out}: starting them for this command", err=True)
        with local_stack(self.out) as stack:
            adopt(stack.environment)
            yield Connected(self._runtime(), goes_on=False)

    def _join(self) -> Runtime:
        if self.stack == "emulators":
            found = _environment(self.out)
            if found is None:
                raise Unavailable(f"no emulators run on {self.out}; start them by: fitsense up {self.options}")
            adopt(found)
        return self._runtime()

    def _runtime(self) -> Runtime:
        around = build(Settings(stack=self.stack, out=self.out))
        use(around)
        return around


NOWHERE = Path(":memory:")
"""SQLite's name for a database that is in no file."""


def _environment(out: Path) -> dict[str, str] | None:
    """Return the variables by which clients find the emulators of a directory; None where there are none."""
    from deploy.local.stack import running

    found = running(out)
    return found.environment if found and found.stack == "emulators" else None
