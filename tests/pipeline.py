"""Pipeline: the phases of a run, called in this process as functions-framework calls them, in any order asked for."""

import random
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path

from deploy.topology import topology
from deploy.worker import phase_function, push
from shared.bus import Message, Outbox, message
from shared.runtime import Runtime, build, use
from shared.settings import Settings

CONFIG = """
name: tiny
seed: 7
as_of_date: 2026-02-17
users: {users}
shards: {shards}
gate: {{min_records: 1, max_rejected_share: 1, max_split_deviation: 1, max_shift: 100}}
"""


class Pipeline:
    """A directory with a run in it; messages published by phases wait in `waiting` until delivered."""

    def __init__(self, root: Path) -> None:
        self.published: list[Message] = []
        self.runtime: Runtime = build(Settings(out=root), Outbox(self.published.append))
        use(self.runtime)

    def drop(self, users: int = 12, shards: int = 3, config: str | None = None) -> tuple[str, Message]:
        """Drop a config; returns the run's id and the first message."""
        text = (config or CONFIG.format(users=users, shards=shards)).encode()
        dropped = self.runtime.inbox.drop("runs/tiny.yaml", text)
        return dropped.run_id, message(dropped)

    def deliver(self, one: Message) -> list[Message]:
        """Deliver a message to all who hear its topic; returns what they published."""
        before = len(self.published)
        for edge in topology().edges().values():
            if edge.topic == one.topic:
                phase_function(edge.function)(push(one))
        return self.published[before:]

    def run(self, first: Message, order: random.Random | None = None, copies: int = 1) -> list[Message]:
        """Deliver until nothing is left; every message as often as asked for, in a random order if given one.

        Returns all that was published.
        """
        waiting, sent = deque([first] * copies), Counter({key(first): copies})
        before = len(self.published)
        while waiting:
            if order is not None:
                order.shuffle(waiting)
            for following in self.deliver(waiting.popleft()):
                new = copies - sent[key(following)]
                sent[key(following)] += new
                waiting.extend([following] * new)
        return self.published[before:]

    def files(self, run_id: str, below: Iterable[str] = ("distillation_dataset",)) -> dict[str, bytes]:
        """Return the run's artifacts by their name within the run."""
        store = self.runtime.store
        names = [name for folder in below for name in store.names(f"{folder}/{run_id}/")]
        return {name.replace(run_id, "RUN"): store.read(name) for name in names}


def key(one: Message) -> tuple[str, bytes]:
    """Return what makes a message the same as another."""
    return one.topic, one.data
