"""Bench: training by the recipe tiny_cpu against TRL's SFTTrainer, on the same model, examples and threads.

    make bench-train        about three minutes; its own small run and base are made first

    ours           trainer_job.training with the recipe as it is
    TRL            SFTTrainer and SFTConfig with their defaults, and the recipe's LoRA
    TRL, alike     the same with the recipe's batches, learning answers only, no gradient checkpointing

Tokens a second count real tokens, prompts included and padding not, from the first step's begin to the last one's
end. Rounds are interleaved, so that what else the machine does meets all alike; ratios are of one round.
"""

import argparse
import copy
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from datasets import Dataset
from peft import LoraConfig
from trainer_job.base import Base
from trainer_job.dataset import split_lines
from trainer_job.examples import Examples, read_examples
from trainer_job.hardware import hardware
from trainer_job.interruption import Interruption
from trainer_job.recipe import Recipe, load_recipe, overridden
from trainer_job.training import Lesson, Surroundings, train
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from shared.artifacts import DirectoryStore
from tests.small_model import small_base, small_run

GOAL = 1.5


def main() -> int:
    """Print the table; returns 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description="Tokens a second of our training and of TRL's.")
    parser.add_argument("--examples", type=int, default=72)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    with tempfile.TemporaryDirectory() as folder:
        return _bench(Path(folder), chosen.examples, chosen.rounds)


def _bench(folder: Path, count: int, rounds: int) -> int:
    recipe = load_recipe("tiny_cpu")
    run_id = small_run(folder / "out")
    base = small_base(recipe, folder / "out", run_id, folder / "base")
    lines = split_lines(DirectoryStore(folder / "out"), run_id, "train")
    lesson = read_examples(lines, base.tokenizer, recipe.context_tokens, "train")
    lesson.kept = lesson.kept[:count]
    kept = {example.record_id for example in lesson.kept}
    records = [record for record in map(json.loads, lines) if record["record_id"] in kept]
    told = Dataset.from_list([{"messages": record["messages"]} for record in records])
    ways: dict[str, Callable[[Base], float]] = {
        "ours": lambda fresh: _ours(recipe, fresh, lesson, folder),
        "TRL": lambda fresh: _theirs(recipe, fresh, told, folder, {}),
        "TRL, alike": lambda fresh: _theirs(recipe, fresh, told, folder, _alike(recipe)),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            seconds = way(Base(base.name, copy.deepcopy(base.model), base.tokenizer))
            rates[name].append(lesson.tokens / seconds)
            print(f"round {number + 1}  {name:<11} {rates[name][-1]:>8,.0f} tokens/s", flush=True)
    print(
        f"\n{len(lesson.kept)} examples, {lesson.tokens:,} tokens, {torch.get_num_threads()} threads, {hardware().name}"
    )
    ratios = {name: [ours / other for ours, other in zip(rates["ours"], rates[name], strict=True)] for name in ways}
    for name in ways:
        least, most = min(ratios[name]), max(ratios[name])
        print(
            f"{name:<11} {median(rates[name]):>8,.0f} tokens/s   ours / it {median(ratios[name]):.2f} "
            f"({least:.2f} to {most:.2f})"
        )
    reached = median(ratios["TRL"]) >= GOAL
    print(f"goal: {GOAL} times TRL's defaults: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


def _ours(recipe: Recipe, base: Base, lesson: Examples, folder: Path) -> float:
    """Return the seconds of our training, once over the examples."""
    judged = Examples(kept=lesson.kept[:1])
    steps = -(-len(lesson.kept) // (recipe.batches.examples * recipe.batches.accumulate))
    once = overridden(recipe, ["epochs=1.0", f"validation.every_steps={steps}", f"max_steps={steps}"])
    begun = _Begun()
    around = Surroundings(folder / "work", hardware(), None, lambda _: None, Interruption())
    train(once, base, Lesson(lesson, judged), around, (begun,))
    return begun.seconds


def _theirs(recipe: Recipe, base: Base, told: Dataset, folder: Path, alike: dict[str, object]) -> float:
    """Return the seconds of TRL's training, once over the examples."""
    begun = _Begun()
    config = SFTConfig(
        output_dir=str(folder / "trl"),
        max_length=recipe.context_tokens,
        num_train_epochs=1,
        use_cpu=not hardware().gpu,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        seed=recipe.seed,
        **alike,
    )
    lora = LoraConfig(
        r=recipe.lora.rank, lora_alpha=recipe.lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    trainer = SFTTrainer(
        base.model, config, train_dataset=told, processing_class=base.tokenizer, peft_config=lora, callbacks=[begun]
    )
    trainer.train()
    return begun.seconds


def _alike(recipe: Recipe) -> dict[str, object]:
    return {
        "per_device_train_batch_size": recipe.batches.examples,
        "gradient_accumulation_steps": recipe.batches.accumulate,
        "learning_rate": recipe.optimizer.learning_rate,
        "activation_checkpointing": False,
        "gradient_checkpointing": False,
        "assistant_only_loss": True,
        "bf16": hardware().bf16,
    }


class _Begun(TrainerCallback):
    """Takes the time between the begin of the first step and the end of the last."""

    def __init__(self) -> None:
        self._begun_s = self._ended_s = 0.0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self._ended_s - self._begun_s

    def on_step_begin(self, args: object, state: object, control: object, **_: object) -> None:
        self._begun_s = self._begun_s or time.perf_counter()

    def on_step_end(self, args: object, state: object, control: object, **_: object) -> None:
        self._ended_s = time.perf_counter()


if __name__ == "__main__":
    sys.exit(main())
