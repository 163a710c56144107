"""Stack: a local stack as one thing: started, watched, stopped. What `fitsense up`, tests and benches work with."""

import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from rich.console import Console

from deploy.interrupts import undisturbed
from deploy.local import state
from deploy.local.components import Wanted, components
from deploy.local.identity import ProcessIdentity
from deploy.local.merged_log import MergedLog
from deploy.local.ports import Ports
from deploy.local.processes import Kept, Program, stop_all
from deploy.local.state import ComponentState, LocalStackName, StackState
from deploy.topology import Topology, topology
from shared.errors import NotFound, Unavailable

READY_S = 180.0
GRACE_S = 8.0
HOPELESS_STARTS = 4
"""A program that has ended that often before it served once will not serve."""


class LocalStack:
    """A stack whose processes this process keeps; made by `local_stack`."""

    def __init__(
        self, stack: LocalStackName, out: Path, programs: list[Program], environment: dict[str, str], log: MergedLog
    ) -> None:
        self.stack = stack
        self.out = out
        self.environment = environment
        """The variables by which clients find the stack."""
        self._log = log
        self._ready = False
        self._moved = threading.Condition()
        self._keeper = ProcessIdentity.here()
        self._kept = {one.name: Kept(one, partial(log.line, one.name), self._note) for one in programs}

    @property
    def processes(self) -> tuple[ComponentState, ...]:
        """How each process stands."""
        return tuple(_component(kept) for kept in self._kept.values())

    def start(self, timeout_s: float = READY_S) -> None:
        """Start everything and return when all of it serves; raises Unavailable naming what does not."""
        for kept in self._kept.values():
            kept.start()
        self._wait_up(list(self._kept.values()), timeout_s)
        self._ready = True
        self._note()

    def kill(self, name: str) -> None:
        """Kill a process with -9, and all it started; it is started again by and by."""
        self._one(name).kill()

    def restart(self, name: str, timeout_s: float = READY_S) -> None:
        """Kill a process with -9 and return when it serves again, on the same port and provisioned anew."""
        kept = self._one(name)
        starts = kept.starts
        kept.kill()
        with self._moved:
            self._moved.wait_for(lambda: kept.starts > starts, timeout_s)
        self._wait_up([kept], timeout_s)

    @property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """The modules that each process begins with, of those that run this project's code."""
        return {name: kept.program.sources for name, kept in self._kept.items() if kept.program.sources}

    def start_anew(self, names: Iterable[str]) -> None:
        """Have processes run what their sources say now; returns at once."""
        for name in names:
            self._one(name).start_anew()

    def stop(self) -> None:
        """Stop everything; nothing is left behind."""
        self._ready = False
        with undisturbed():
            stop_all(self._kept.values(), GRACE_S)
            state.forget(self.out)

    def _one(self, name: str) -> Kept:
        if name not in self._kept:
            raise NotFound(f"there is no {name!r} in this stack, only {', '.join(self._kept)}")
        return self._kept[name]

    def _note(self) -> None:
        """Write down how everything stands, and wake who waits for that."""
        with self._moved:
            noted = StackState(
                stack=self.stack,
                out=self.out,
                ready=self._ready,
                keeper=self._keeper,
                environment=self.environment,
                components=self.processes,
            )
            with suppress(OSError):  # a full disk is no reason to stop keeping the processes
                state.write(noted)
            self._moved.notify_all()

    def _wait_up(self, kept: list[Kept], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        with self._moved:
            while waiting := [one for one in kept if one.state != "up"]:
                if hopeless := [one for one in waiting if one.starts >= HOPELESS_STARTS and one.state == "down"]:
                    raise Unavailable(self._complaint(hopeless[0], "does not stay up"))
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise Unavailable(self._complaint(waiting[0], f"does not answer within {timeout_s:g} s"))
                self._moved.wait(left_s)

    def _complaint(self, kept: Kept, what: str) -> str:
        lines = "".join(f"\n  {line}" for line in self._log.last_lines(kept.program.name))
        why = f": {kept.doubt}" if kept.doubt else ""
        return f"{kept.program.name} {what}{why}; {'its last lines:' if lines else 'it said nothing'}{lines}"


@contextmanager
def local_stack(
    out: Path,
    *,
    stack: LocalStackName = "emulators",
    functions: Collection[str] | None = None,
    postgres: bool = False,
    storage_fail_share: float = 0.0,
    graph: Topology | None = None,
    workers: int = 1,
    public_port: int | None = None,
    model: bool = False,
    console: Console | None = None,
) -> Iterator[LocalStack]:
    """Start a stack on a directory, and stop it at the end, whichever way it comes.

    `functions` names those to start, all of the topology by default; `storage_fail_share` is the share of
    Cloud Storage calls that are answered by 503; `postgres` brings the services along, behind `public_port`, and
    `model` with them vLLM and its agent; `workers` is the embedded stack's; lines of log go to `console`, and to
    files in any case. Raises Conflict where a stack is kept there already, and Unavailable where something is not
    installed or does not start.
    """
    graph = graph or topology()
    chosen = graph.deployed() if functions is None else functions
    wanted = Wanted(
        out.absolute(), stack, graph, tuple(chosen), postgres, storage_fail_share, workers, public_port, model
    )
    with state.locked(out), closing(Ports()) as ports, closing(MergedLog(state.folder(out) / "log", console)) as log:
        if left := state.clear(out):
            log.line("up", f"killed {left} processes that an earlier stack left behind")
        made = components(wanted, ports)
        kept = LocalStack(stack, wanted.out, made.programs, made.environment, log)
        try:
            kept.start()
            yield kept
        finally:
            kept.stop()


def running(out: Path) -> StackState | None:
    """Return the stack that is kept in a directory and serves, if one is."""
    found = state.read(out)
    return found if found and found.ready and found.keeper.process() else None


def _component(kept: Kept) -> ComponentState:
    return ComponentState(
        name=kept.program.name,
        state=kept.state,
        port=kept.program.port,
        process=kept.identity,
        starts=kept.starts,
        began_at=kept.began_at,
    )
