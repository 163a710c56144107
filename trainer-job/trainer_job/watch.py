"""Watch: tells how far training is, writes TensorBoard's logs, and stops it where it has to stop.

It stops where the job was told to, after a step, with a checkpoint; and on a loss that is no number, without one,
so that the newest checkpoint stays good.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainer_job.checkpoints import Checkpoints
from trainer_job.interruption import Interruption


@dataclass(frozen=True, slots=True)
class Progress:
    """How far training is."""

    step: int
    steps: int
    loss: float
    tokens_per_s: float
    eta_s: float
    validation_loss: float | None = None


class Watch(TrainerCallback):
    """One training's eyes. `step_tokens` is what a step reads on average."""

    def __init__(
        self,
        report: Callable[[Progress], None],
        interruption: Interruption,
        step_tokens: float,
        first_validation_loss: float | None,
    ) -> None:
        self._report = report
        self._interruption = interruption
        self._step_tokens = step_tokens
        self._first_validation_loss = first_validation_loss
        self._started_s = 0.0
        self._first_step = 0
        self._loss = float("nan")
        self.diverged_at: int | None = None
        self.tokens = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Start the clock; a training that begins notes what its base's validation loss was."""
        self._started_s = time.monotonic()
        self._first_step = state.global_step
        if self._first_validation_loss is not None:
            state.log_history.append({"eval_loss": self._first_validation_loss, "epoch": 0.0, "step": 0})

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Stop after this step where the job was told to; judge after the last one."""
        self.tokens = round(self._step_tokens * (state.global_step - self._first_step))
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
        if self._interruption.told:
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        """Tell how far it is; stop on a loss that is no number."""
        logs = logs or {}
        losses = {key: float(logs[key]) for key in ("loss", "eval_loss") if key in logs}
        self._loss = losses.get("loss", self._loss)
        if not all(math.isfinite(loss) for loss in losses.values()):
            self.diverged_at = state.global_step
            control.should_training_stop = True
        if losses and state.global_step > self._first_step:
            self._report(self._progress(state, losses.get("eval_loss")))
        if self.diverged_at is not None:
            control.should_save = False

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Write no checkpoint of weights that are no numbers."""
        if self.diverged_at is not None:
            control.should_save = False

    def _progress(self, state: TrainerState, validation_loss: float | None) -> Progress:
        took_s = max(time.monotonic() - self._started_s, 1e-9)
        done = state.global_step - self._first_step
        return Progress(
            step=state.global_step,
            steps=state.max_steps,
            loss=self._loss,
            tokens_per_s=self.tokens / took_s,
            eta_s=took_s / done * (state.max_steps - state.global_step),
            validation_loss=validation_loss,
        )


class Keeper(TrainerCallback):
    """Has each checkpoint in the store as soon as it is written."""

    def __init__(self, checkpoints: Checkpoints, folder: Path) -> None:
        self._checkpoints = checkpoints
        self._folder = folder

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Bring the store up to the folder."""
        self._checkpoints.keep(self._folder)


class Board(TrainerCallback):
    """TensorBoard's logs. A training that goes on writes all that was before once more: its logs are always whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Begin a file with what is known."""
        self._writer = SummaryWriter(str(self._folder))
        for row in state.log_history:
            self._write(row, int(row["step"]))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        """Add what there is to add."""
        self._write(logs or {}, state.global_step)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """End the file."""
        if self._writer:
            self._writer.close()

    def _write(self, row: dict[str, float], step: int) -> None:
        if self._writer is None:
            return
        for tag, key in (("loss/train", "loss"), ("loss/validation", "eval_loss"), ("rate", "learning_rate"),
                         ("gradient", "grad_norm")):  # fmt: skip
            if key in row:
                self._writer.add_scalar(tag, row[key], step)
