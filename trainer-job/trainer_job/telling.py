"""Telling: how far a job is, for people: on the terminal, and in the document `training/<version>`.

    terminal   one live line where it is one, else a line every few seconds
    document   version, run_id, job, status (running, done, failed, interrupted), stage, step, steps, loss,
               validation_loss, tokens_per_s, eta_s, error, updated_at

Nothing rests on the document. Where it cannot be written the job goes on.
"""

import logging
import time
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

from shared.documents import Data, Documents, update
from shared.errors import Unavailable
from trainer_job.tiny.pretraining import Pace
from trainer_job.watch import Progress

log = logging.getLogger("fitsense.training")

Stage = Literal["waiting", "base", "training", "saving", "evaluating", "publishing"]
Ending = Literal["done", "failed", "interrupted"]

_EVERY_S: Final = 5.0
"""Between two lines where there is no terminal, and between two changes of the document."""
_LIVE_S: Final = 0.2
_FRESH: Final[Data] = {
    "status": "running", "stage": "waiting", "step": 0, "steps": None, "loss": None, "validation_loss": None,
    "tokens_per_s": None, "eta_s": None, "error": None,
}  # fmt: skip


class Telling:
    """What is told of one job."""

    def __init__(self, documents: Documents, out: TextIO) -> None:
        self._documents = documents
        self._out = out
        self._live = out.isatty()
        self._open = False
        self._path: str | None = None
        self._lined_s = self._noted_s = 0.0

    def version(self, version: str, run_id: str, job: str | None) -> None:
        """Tell which model the job is making; from now on there is a document."""
        self._path = f"training/{version}"
        self._note(_FRESH | {"version": version, "run_id": run_id, "job": job})
        self.line(f"model {version}")

    def stage(self, stage: Stage) -> None:
        """Tell what the job does now."""
        self._note({"stage": stage, "eta_s": None})

    def pretraining(self, pace: Pace) -> None:
        """Tell how far the tiny base is."""
        text = f"base {pace.step}/{pace.steps}  loss {pace.loss:.3f}  {pace.tokens_per_s:,.0f} tokens/s"
        self._pass(text, pace.step == pace.steps)

    def training(self, progress: Progress) -> None:
        """Tell how far training is."""
        judged = progress.validation_loss is not None
        text = (
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}"
            + (f"  validation {progress.validation_loss:.3f}" if judged else "")
            + f"  {progress.tokens_per_s:,.0f} tokens/s  {_duration(progress.eta_s)} to go"
        )
        self._pass(text, judged)
        changes: Data = {
            "step": progress.step,
            "steps": progress.steps,
            "loss": round(progress.loss, 4),
            "tokens_per_s": round(progress.tokens_per_s, 1),
            "eta_s": round(progress.eta_s, 1),
        }
        if judged:
            changes["validation_loss"] = round(progress.validation_loss or 0.0, 4)
        if judged or time.monotonic() - self._noted_s > _EVERY_S:
            self._note(changes)

    def counted(self, what: str, done: int, of: int) -> None:
        """Tell how much of a stage is done."""
        self._pass(f"{what}  {done}/{of}", done == of)

    def ended(self, status: Ending, error: str | None = None) -> None:
        """Tell how the job ended."""
        self._note({"status": status, "error": error, "eta_s": None})

    def line(self, text: str) -> None:
        """Write a line that stays."""
        print("\r\x1b[K" + text if self._open else text, file=self._out, flush=True)
        self._open = False

    def _pass(self, text: str, stays: bool) -> None:
        """Write what the next line replaces on a terminal, and what is left out elsewhere if one came just now."""
        now_s = time.monotonic()
        if stays or (not self._live and now_s - self._lined_s > _EVERY_S):
            self._lined_s = now_s
            self.line(text)
        elif self._live and now_s - self._lined_s > _LIVE_S:
            self._lined_s, self._open = now_s, True
            print("\r\x1b[K" + text, end="", file=self._out, flush=True)

    def _note(self, changes: Data) -> None:
        if self._path is None:
            return
        self._noted_s = time.monotonic()
        stamped = changes | {"updated_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        try:
            update(self._documents, self._path, lambda data: data | stamped)
        except Unavailable as exc:
            log.warning("could not note how far training is: %s", exc)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
