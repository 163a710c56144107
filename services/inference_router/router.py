"""Router: everything that requests share."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from services.inference_router.backends import Backends
from services.inference_router.callers import Callers
from services.inference_router.interactions import Interaction
from services.inference_router.metrics import Metrics
from services.inference_router.outbox import Outbox
from services.inference_router.settings import RouterSettings
from services.inference_router.table import Table
from services.inference_router.tracing import Tracing
from services.inference_router.upstream import Upstream


class Stoppable(Protocol):
    """A request on its way."""

    def stop(self, because: str) -> None:
        """End it now."""


@dataclass(slots=True)
class Router:
    """The process's parts."""

    settings: RouterSettings
    callers: tuple[Callers, ...]
    pushers: tuple[Callers, ...]
    table: Table
    upstream: Upstream
    backends: Backends
    outbox: Outbox
    metrics: Metrics
    tracing: Tracing
    turns: set[Stoppable] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    draining: bool = False

    def keep(self, interaction: Interaction) -> None:
        """Keep the one event of a request that has ended."""
        self.metrics.count(interaction)
        self.tracing.end(interaction)
        self.outbox.append(interaction.event())

    def stop_all(self, because: str) -> None:
        """End every request that is on its way."""
        for turn in list(self.turns):
            turn.stop(because)
