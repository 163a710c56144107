"""Training: low-rank matrices beside a base's linear layers, learned from the answers alone.

TRL's SFTTrainer with what was measured to be faster: answers-only projection to the vocabulary, sequences of
like length together on a CPU, packing on a GPU. A run writes below one directory:

    checkpoints/checkpoint-<step>/   all that is needed to go on; a started run goes on from the newest
    adapter/                         the best step by validation loss, in peft's form
    logs/                            TensorBoard

The same recipe, base and examples give the same adapter on the same machine, interrupted or not.
"""

import copy
import itertools
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, prepare_model_for_kbit_training
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.integrations import TensorBoardCallback
from trl import SFTConfig, SFTTrainer

from shared.errors import FitsenseError, Rejected
from trainer_job.examples import IGNORED, Examples
from trainer_job.hardware import Hardware
from trainer_job.recipe import Recipe

_INCOMPLETE: Final = "checkpoint-is-incomplete.txt"
_NEVER: Final = 10**9
_WINDOW_BATCHES: Final = 50
"""Among so many batches' worth of examples those of like length are put together."""


class Interrupted(FitsenseError):
    """Training was told to stop before it was done; starting it again goes on where it was."""


class Diverged(Rejected):
    """The loss is no number any more; the checkpoints before it are good."""


class OutOfMemory(FitsenseError):
    """The recipe does not fit this machine's memory."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far training is."""

    step: int
    steps: int
    loss: float
    tokens_per_s: float
    eta_s: float
    validation_loss: float | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """What came out of a run."""

    adapter: Path
    steps: int
    best_step: int
    first_validation_loss: float
    best_validation_loss: float
    stopped_early: bool
    tokens: int
    seconds: float
    """Of this start alone, where it was interrupted before."""


def train(
    recipe: Recipe,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    learned: Examples,
    judged: Examples,
    out: Path,
    hardware: Hardware,
    report: Callable[[Progress], None],
) -> Trained:
    """Train, or go on, and leave the best adapter below `out`; raises Interrupted, Diverged, OutOfMemory."""
    packed = _packs(recipe, hardware)
    if not packed and (recipe.lora.dropout or recipe.quantise != "none"):
        raise Rejected("lora.dropout and quantise need batches.arrange: packed, which does not merge weights")
    set_seed(recipe.seed)
    if recipe.quantise == "nf4":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=recipe.gradient_checkpointing)
    watch = _Watch(report, learned)
    plain = None if packed else copy.deepcopy(model)
    trainer = _Trainer(
        model=model,
        args=_arguments(recipe, len(learned.kept), out, hardware),
        train_dataset=learned.dataset(),
        eval_dataset=judged.dataset().select(range(min(len(judged.kept), recipe.validation.examples))),
        processing_class=tokenizer,
        data_collator=None if packed else _Padding(tokenizer.pad_token_id),
        peft_config=LoraConfig(
            r=recipe.lora.rank,
            lora_alpha=recipe.lora.alpha,
            lora_dropout=recipe.lora.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        callbacks=[
            EarlyStoppingCallback(recipe.validation.patience),
            TensorBoardCallback(SummaryWriter(str(out / "tensorboard"))),
            watch,
        ],
    )
    trainer.plain = plain
    trainer.remove_callback(PrinterCallback)
    _stop_on_sigterm(watch)
    return _run(recipe, trainer, watch, out)


def _run(recipe: Recipe, trainer: SFTTrainer, watch: "_Watch", out: Path) -> Trained:
    started_s = time.monotonic()
    resumed = newest_checkpoint(out / "checkpoints")
    try:
        first_loss = float("nan") if resumed else trainer.evaluate()["eval_loss"]
        trainer.train(resume_from_checkpoint=resumed and str(resumed))
    except (torch.OutOfMemoryError, MemoryError) as exc:
        raise OutOfMemory(_memory_advice(recipe)) from exc
    except RuntimeError as exc:
        if "can't allocate memory" in str(exc):
            raise OutOfMemory(_memory_advice(recipe)) from exc
        raise
    state = trainer.state
    if watch.diverged_at is not None:
        raise Diverged(
            f"the loss is no number any more at step {watch.diverged_at} of {state.max_steps}; the last good "
            f"checkpoint is kept; lower optimizer.learning_rate (now {recipe.optimizer.learning_rate}) or raise "
            "optimizer.warmup_share"
        )
    if watch.told_to_stop:
        raise Interrupted(f"stopped at step {state.global_step} of {state.max_steps}; start it again to go on")
    trainer.save_model(str(out / "adapter"))
    return Trained(
        adapter=out / "adapter",
        steps=state.global_step,
        best_step=state.best_global_step or state.global_step,
        first_validation_loss=first_loss,
        best_validation_loss=state.best_metric if state.best_metric is not None else float("nan"),
        stopped_early=state.global_step < state.max_steps,
        tokens=watch.tokens,
        seconds=time.monotonic() - started_s,
    )


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written whole, if there is one."""
    whole = [
        one
        for one in folder.glob("checkpoint-*")
        if not (one / _INCOMPLETE).exists() and (one / "trainer_state.json").exists()
    ]
    return max(whole, key=lambda one: int(one.name.rpartition("-")[2]), default=None)


def _packs(recipe: Recipe, hardware: Hardware) -> bool:
    """Return whether examples stand one after another in a row: pays on a GPU, costs on a CPU."""
    arrange = recipe.batches.arrange
    return arrange == "packed" or (arrange == "auto" and hardware.gpu)


def _arguments(recipe: Recipe, examples: int, out: Path, hardware: Hardware) -> SFTConfig:
    packed = _packs(recipe, hardware)
    bf16 = hardware.bf16 if recipe.dtype == "auto" else recipe.dtype == "bf16"
    per_epoch = math.ceil(examples / (recipe.batches.examples * recipe.batches.accumulate))
    steps = min(recipe.max_steps or _NEVER, max(1, round(per_epoch * recipe.epochs)))
    return SFTConfig(
        output_dir=str(out / "checkpoints"),
        max_length=recipe.context_tokens,
        packing=packed,
        eval_packing=False,
        dataset_kwargs={"skip_prepare_dataset": not packed},
        per_device_train_batch_size=recipe.batches.examples,
        per_device_eval_batch_size=recipe.batches.examples,
        gradient_accumulation_steps=recipe.batches.accumulate,
        max_steps=-1 if packed else steps,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.optimizer.learning_rate,
        lr_scheduler_type=recipe.optimizer.schedule,
        warmup_steps=recipe.optimizer.warmup_share,
        weight_decay=recipe.optimizer.weight_decay,
        max_grad_norm=recipe.optimizer.max_grad_norm,
        use_cpu=not hardware.gpu,
        bf16=bf16,
        activation_checkpointing=recipe.gradient_checkpointing,
        eval_strategy="steps",
        eval_steps=recipe.validation.every_steps,
        save_steps=recipe.validation.every_steps,
        save_total_limit=3,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        enable_jit_checkpoint=False,
        logging_steps=min(10, recipe.validation.every_steps),
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        seed=recipe.seed,
        data_seed=recipe.seed,
        dataloader_pin_memory=hardware.gpu,
    )


class _Trainer(SFTTrainer):
    """SFTTrainer that, unless rows are packed, computes the same loss with less work.

    Logits are asked for only where an answer stands: two thirds of all tokens are prompt. And the low-rank
    matrices are added to the weights once a step instead of running beside them with every token, which for a
    narrow network costs as much as the network itself. Dropout on their way in would need them apart.
    """

    plain: PreTrainedModel | None
    """The network without adapters, for rows that are not packed."""

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int] | None:
        if self.args.packing:
            return super()._get_train_sampler(train_dataset)
        return _ByLength([len(ids) for ids in self.train_dataset["input_ids"]], self._train_batch_size, self.args.seed)

    def compute_loss(
        self,
        model: PreTrainedModel,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        if self.plain is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels = inputs["labels"][:, 1:]
        learned = labels != IGNORED
        weights = _merged(self.accelerator.unwrap_model(model))
        with self.accelerator.autocast():
            hidden = functional_call(self.plain.get_decoder(), weights, (inputs["input_ids"],), {"use_cache": False})[0]
            logits = self.plain.get_output_embeddings()(hidden[:, :-1][learned])
        loss = cross_entropy(logits.float(), labels[learned], reduction="sum") / (num_items_in_batch or learned.sum())
        return (loss, {"loss": loss}) if return_outputs else loss


def _merged(model: PeftModel) -> dict[str, Tensor]:
    """Return the decoder's adapted weights by their names in the plain decoder, open to gradients."""
    decoder = model.get_base_model().get_decoder()
    return {
        f"{name}.weight": layer.base_layer.weight
        + layer.scaling["default"] * (layer.lora_B["default"].weight @ layer.lora_A["default"].weight)
        for name, layer in decoder.named_modules()
        if isinstance(layer, LoraLayer)
    }


class _ByLength(Sampler[int]):
    """Places in an order that puts sequences of like length side by side.

    A function of seed and epoch alone. The trainer's own one draws from the global generator, so that a run which
    goes on from a checkpoint sees other batches.
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths = lengths
        self._batch = batch
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order; called before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        rng = Random(f"{self._seed}:{self._epoch}")
        places = list(range(len(self._lengths)))
        rng.shuffle(places)
        window = _WINDOW_BATCHES * self._batch
        batches = [
            alike[start : start + self._batch]
            for first in range(0, len(places), window)
            for alike in [sorted(places[first : first + window], key=self._lengths.__getitem__)]
            for start in range(0, len(alike), self._batch)
        ]
        partial = batches.pop() if len(batches[-1]) < self._batch else []
        rng.shuffle(batches)
        return itertools.chain(*batches, partial)


class _Padding:
    """Rows of like length side by side, filled up on the right, where causal attention never looks."""

    def __init__(self, pad: int) -> None:
        self._pad = pad

    def __call__(self, rows: list[dict[str, list[int]]]) -> dict[str, Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        filled = {"input_ids": self._pad, "labels": IGNORED}
        return {
            key: torch.tensor([row[key] + [value] * (longest - len(row[key])) for row in rows])
            for key, value in filled.items()
        }


class _Watch(TrainerCallback):
    """Tells how far training is, and stops it on a loss that is no number or when it is told to."""

    def __init__(self, report: Callable[[Progress], None], learned: Examples) -> None:
        self._report = report
        self._mean_tokens = learned.tokens / len(learned.kept)
        self._started_s = 0.0
        self._first_step = 0
        self._loss = float("nan")
        self.told_to_stop = False
        self.diverged_at: int | None = None
        self.tokens = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        self._started_s = time.monotonic()
        self._first_step = state.global_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        self.tokens += round(self._mean_tokens * args.train_batch_size * args.gradient_accumulation_steps)
        if self.told_to_stop:
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
        logs = logs or {}
        if "loss" in logs:
            self._loss = float(logs["loss"])
            if not math.isfinite(self._loss):
                self.diverged_at = state.global_step
                control.should_save = False
                control.should_training_stop = True
        if ("loss" in logs or "eval_loss" in logs) and state.global_step > self._first_step:
            self._report(self._progress(state, logs.get("eval_loss")))

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


def _stop_on_sigterm(watch: _Watch) -> None:
    """On SIGTERM finish the step, write a checkpoint, and stop."""

    def stop(_signal: int, _frame: object) -> None:
        watch.told_to_stop = True

    signal.signal(signal.SIGTERM, stop)


def _memory_advice(recipe: Recipe) -> str:
    knobs = [f"batches.examples (now {recipe.batches.examples}; raise batches.accumulate to keep the step)"]
    if not recipe.gradient_checkpointing:
        knobs.append("gradient_checkpointing: true")
    if recipe.quantise == "none":
        knobs.append("quantise: nf4")
    knobs.append(f"context_tokens (now {recipe.context_tokens})")
    return f"not enough memory; turn these down, the first first: {'; '.join(knobs)}"
