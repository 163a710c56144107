"""Training: low-rank matrices beside a base's linear layers, learned from the answers alone.

TRL's SFTTrainer, with what was measured to be faster: see trainer_job.sequences. Below one directory:

    checkpoints/checkpoint-<step>/   copies of what lies in the store; a started run goes on from the newest there
    adapter/                         the best step by validation loss, in peft's form
    tensorboard/                     losses, rate and gradient

The same recipe, base and examples give the same adapter on the same machine, interrupted or not.
"""

import copy
import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peft import LoraConfig, PeftModel, prepare_model_for_kbit_training
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback, TrainerState, set_seed
from trl import SFTConfig

from shared.errors import Rejected
from trainer_job.base import Base
from trainer_job.checkpoints import Checkpoints
from trainer_job.examples import Examples
from trainer_job.hardware import Hardware
from trainer_job.interruption import Interrupted, Interruption
from trainer_job.limits import explained
from trainer_job.recipe import Recipe
from trainer_job.sequences import Padding, Trainer
from trainer_job.watch import Board, Keeper, Progress, Watch

Learn = Callable[[Recipe, Callable[[Progress], None]], float]
"""Trains by a recipe from the base and returns the lowest validation loss; whoever hears progress may end it."""

_NEVER: Final = 10**9
_KEPT: Final = 3
"""Checkpoints, the best and the newest among them."""
_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"


class Diverged(Rejected):
    """The loss is no number any more; the checkpoints before it are good."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What there is to learn from, and to be judged by."""

    learned: Examples
    judged: Examples


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a training works with: its directory, the checkpoints it may go on from, who hears of it."""

    work: Path
    hardware: Hardware
    checkpoints: Checkpoints | None
    """None where a training is too short to be gone on with."""
    report: Callable[[Progress], None]
    interruption: Interruption


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


def check_fits(recipe: Recipe, hardware: Hardware) -> None:
    """Raise Rejected where a recipe asks for what this machine's way of training would ignore."""
    apart = recipe.lora.dropout or recipe.quantise != "none" or recipe.gradient_checkpointing
    if apart and not _packs(recipe, hardware):
        raise Rejected(
            "lora.dropout, quantise and gradient_checkpointing need batches.arrange: packed, which does not merge "
            "weights; on a CPU auto is grouped"
        )


def train(
    recipe: Recipe,
    base: Base,
    lesson: Lesson,
    around: Surroundings,
    callbacks: Sequence[TrainerCallback] = (),
) -> Trained:
    """Train, or go on, and leave the best adapter; raises Interrupted, Diverged, OutOfMemory, DiskFull.

    The base's network must not be used afterwards: its layers have the adapter beside them.
    """
    check_fits(recipe, around.hardware)
    set_seed(recipe.seed)
    with explained(recipe), around.interruption.noted():
        resumed = _resumed(around)
        trainer = _trainer(recipe, base, lesson, around)
        for callback in callbacks:
            trainer.add_callback(callback)
        return _run(recipe, trainer, base, lesson, around, resumed)


def _trainer(recipe: Recipe, base: Base, lesson: Lesson, around: Surroundings) -> Trainer:
    packed = _packs(recipe, around.hardware)
    model = base.model
    if recipe.quantise == "nf4":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=recipe.gradient_checkpointing)
    plain = None if packed else copy.deepcopy(model)
    judged = min(len(lesson.judged.kept), recipe.validation.examples)
    trainer = Trainer(
        model=model,
        args=_arguments(recipe, len(lesson.learned.kept), around),
        train_dataset=lesson.learned.dataset(),
        eval_dataset=lesson.judged.dataset().select(range(judged)),
        processing_class=base.tokenizer,
        data_collator=None if packed else Padding(base.tokenizer.pad_token_id),
        peft_config=LoraConfig(
            r=recipe.lora.rank,
            lora_alpha=recipe.lora.alpha,
            lora_dropout=recipe.lora.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        callbacks=[EarlyStoppingCallback(recipe.validation.patience), Board(around.work / "tensorboard")],
    )
    trainer.plain = plain
    trainer.remove_callback(PrinterCallback)
    return trainer


def _run(
    recipe: Recipe, trainer: Trainer, base: Base, lesson: Lesson, around: Surroundings, resumed: Path | None
) -> Trained:
    started_s = time.monotonic()
    first_loss = None if resumed else float(trainer.evaluate()["eval_loss"])
    rows_per_step = recipe.batches.examples * recipe.batches.accumulate
    step_tokens = lesson.learned.tokens / len(trainer.train_dataset) * rows_per_step
    watch = Watch(around.report, around.interruption, step_tokens, first_loss)
    trainer.add_callback(watch)
    if around.checkpoints:
        trainer.add_callback(Keeper(around.checkpoints, around.work / "checkpoints"))
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    state = trainer.state
    _raise_unless_done(recipe, state, watch, around.interruption)
    _save(trainer.model, base.name, around.work / "adapter")
    return Trained(
        adapter=around.work / "adapter",
        steps=state.global_step,
        best_step=state.best_global_step or state.global_step,
        first_validation_loss=_judgements(state)[0],
        best_validation_loss=min(_judgements(state)[1:]),
        stopped_early=state.global_step < state.max_steps,
        tokens=watch.tokens,
        seconds=time.monotonic() - started_s,
    )


def _raise_unless_done(recipe: Recipe, state: TrainerState, watch: Watch, interruption: Interruption) -> None:
    if watch.diverged_at is not None:
        raise Diverged(
            f"the loss is no number any more at step {watch.diverged_at} of {state.max_steps}; the last good "
            f"checkpoint is kept; lower optimizer.learning_rate (now {recipe.optimizer.learning_rate}) or raise "
            "optimizer.warmup_share"
        )
    if interruption.told:
        raise Interrupted(f"stopped at step {state.global_step} of {state.max_steps}; start it again to go on")


def _judgements(state: TrainerState) -> list[float]:
    """Return the validation losses, the base's first."""
    return [float(row["eval_loss"]) for row in state.log_history if "eval_loss" in row]


def _resumed(around: Surroundings) -> Path | None:
    """Return the checkpoint to go on from, if there is one; what an earlier start left here is removed."""
    shutil.rmtree(around.work, ignore_errors=True)
    return around.checkpoints.restore(around.work / "checkpoints") if around.checkpoints else None


def _save(model: PeftModel, base: str, folder: Path) -> None:
    """Write an adapter: the same bytes for the same weights, and its base by name, not by where it lay here."""
    model.save_pretrained(str(folder))
    config = json.loads((folder / _CONFIG).read_text()) | {"base_model_name_or_path": base}
    same = {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()}
    (folder / _CONFIG).write_text(json.dumps(same, indent=2, sort_keys=True) + "\n")
    for path in folder.iterdir():
        if path.name not in (_WEIGHTS, _CONFIG):
            path.unlink()


def _packs(recipe: Recipe, hardware: Hardware) -> bool:
    """Return whether examples stand one after another in a row: pays on a GPU, costs on a CPU."""
    arrange = recipe.batches.arrange
    return arrange == "packed" or (arrange == "auto" and hardware.gpu)


def _arguments(recipe: Recipe, examples: int, around: Surroundings) -> SFTConfig:
    hardware, packed = around.hardware, _packs(recipe, around.hardware)
    every_steps = recipe.validation.every_steps
    per_epoch = math.ceil(examples / (recipe.batches.examples * recipe.batches.accumulate))
    steps = min(recipe.max_steps or _NEVER, max(1, round(per_epoch * recipe.epochs)))
    return SFTConfig(
        output_dir=str(around.work / "checkpoints"),
        max_length=recipe.context_tokens,
        packing=packed,
        eval_packing=False,
        dataset_kwargs={"skip_prepare_dataset": not packed},
        per_device_train_batch_size=recipe.batches.examples,
        per_device_eval_batch_size=recipe.batches.examples,
        gradient_accumulation_steps=recipe.batches.accumulate,
        max_steps=(recipe.max_steps or -1) if packed else steps,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.optimizer.learning_rate,
        lr_scheduler_type=recipe.optimizer.schedule,
        warmup_steps=recipe.optimizer.warmup_share,
        weight_decay=recipe.optimizer.weight_decay,
        max_grad_norm=recipe.optimizer.max_grad_norm,
        use_cpu=not hardware.gpu,
        bf16=hardware.bf16 if recipe.dtype == "auto" else recipe.dtype == "bf16",
        activation_checkpointing=recipe.gradient_checkpointing,
        eval_strategy="steps",
        eval_steps=every_steps,
        save_strategy="steps" if around.checkpoints else "no",
        save_steps=every_steps,
        save_total_limit=_KEPT,
        load_best_model_at_end=around.checkpoints is not None,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        enable_jit_checkpoint=False,
        logging_steps=min(10, every_steps),
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        seed=recipe.seed,
        data_seed=recipe.seed,
        dataloader_pin_memory=hardware.gpu,
    )
