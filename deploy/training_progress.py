"""Training progress: a live line about a training job, from the document that the trainer writes."""

import time
from types import TracebackType
from typing import Self

from pydantic import ConfigDict
from rich.console import Console
from rich.live import Live
from rich.text import Text

from shared import jobs
from shared.documents import Documents
from shared.frozen import Frozen
from shared.jobs import JobSpec

EVERY_S = 0.5
LINE_EVERY_S = 10.0
"""Where nobody watches a terminal."""


class TrainingDocument(Frozen):
    """What the trainer tells of itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: str = "running"
    stage: str | None = None
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    validation_loss: float | None = None
    tokens_per_s: float | None = None
    eta_s: float | None = None

    def line(self) -> str:
        """Return how far it is, in a line."""
        parts = [self.stage or self.status]
        if self.stage not in (None, "training"):
            return parts[0]  # the numbers are still those of the training
        if self.step is not None and self.steps:
            parts.append(f"step {self.step:,}/{self.steps:,}")
        if self.loss is not None:
            parts.append(f"loss {self.loss:.3f}")
        if self.validation_loss is not None:
            parts.append(f"validation {self.validation_loss:.3f}")
        if self.tokens_per_s:
            parts.append(f"{self.tokens_per_s:,.0f} tokens/s")
        if self.eta_s is not None:
            parts.append(f"{duration(self.eta_s)} to go")
        return "  ".join(parts)


class TrainingProgress:
    """Shows a training until it ends; call `tick` often."""

    def __init__(self, console: Console, documents: Documents, spec: JobSpec) -> None:
        self._console = console
        self._documents = documents
        self._spec = spec
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._began = time.monotonic()
        self._next = self._next_line = 0.0
        self._said = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def tick(self) -> None:
        """Show what has changed, at most every EVERY_S."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY_S
        line = self._line()
        if self._live:
            self._live.update(Text(f"{duration(now - self._began):>10}  {line}"), refresh=True)
        elif line != self._said and now >= self._next_line:
            self._next_line, self._said = now + LINE_EVERY_S, line
            self._console.print(line, highlight=False, soft_wrap=True)

    def _line(self) -> str:
        version = jobs.version_of_job(self._documents, self._spec)
        found = self._documents.get(f"training/{version}") if version else None
        return TrainingDocument.model_validate(found.data).line() if found else "starting"


def duration(seconds: float) -> str:
    """Return a time in words that are short."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
