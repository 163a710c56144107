"""Trainer: fine-tune a student on a run's dataset.

    python -m trainer_job train RUN_ID --recipe tiny_cpu [--set key=value ...] [--work DIR]

In      distillation_dataset/<run_id>/, checked against its manifest
Writes  WORK/checkpoints, WORK/adapter, WORK/logs
Exit    0 done · 2 the recipe or the data are wrong · 75 interrupted or a dependency down: start it again
"""

import argparse
import sys
import time
from pathlib import Path

from shared.errors import FitsenseError, Rejected
from shared.runtime import runtime
from trainer_job.base import load_base
from trainer_job.dataset import split_lines
from trainer_job.examples import Examples, read_examples
from trainer_job.hardware import hardware
from trainer_job.recipe import RecipeError, load_recipe
from trainer_job.tiny.pretraining import Pace
from trainer_job.training import Progress, train

_TRY_AGAIN = 75


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        _train(chosen)
    except RecipeError as exc:
        print("the recipe is wrong:", *exc.faults, sep="\n  · ", file=sys.stderr)
        return 2
    except Rejected as exc:
        print(exc, file=sys.stderr)
        return 2
    except FitsenseError as exc:
        print(exc, file=sys.stderr)
        return _TRY_AGAIN
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer_job", description="Fine-tune a student.")
    commands = parser.add_subparsers(required=True)
    train_command = commands.add_parser("train", help="train an adapter on a run's dataset")
    train_command.add_argument("run_id")
    train_command.add_argument("--recipe", required=True, help="a name in recipes/, or a path to a YAML file")
    train_command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    train_command.add_argument("--work", type=Path, default=Path("out/training"), help="for what a run leaves here")
    return parser


def _train(chosen: argparse.Namespace) -> None:
    recipe = load_recipe(chosen.recipe, chosen.overrides)
    store, machine = runtime().store, hardware()
    work = chosen.work / chosen.run_id
    splits = {split: split_lines(store, chosen.run_id, split) for split in ("train", "val")}
    base = load_base(recipe, store, chosen.run_id, work / "base", machine, _Told().pretraining)
    learned, judged = (
        read_examples(lines, base.tokenizer, recipe.context_tokens, split) for split, lines in splits.items()
    )
    _describe(learned, machine.name)
    trained = train(recipe, base.model, base.tokenizer, learned, judged, work, machine, _told)
    print(
        f"adapter in {trained.adapter}: validation loss {trained.first_validation_loss:.3f} -> "
        f"{trained.best_validation_loss:.3f} at step {trained.best_step} of {trained.steps}, {trained.seconds:.0f} s"
    )


def _describe(learned: Examples, machine: str) -> None:
    left_out = f"; {len(learned.too_long)} longer than the context left out" if learned.too_long else ""
    print(
        f"{len(learned.kept)} examples, {learned.tokens} tokens, {learned.learned_tokens} learned{left_out}; {machine}"
    )


class _Told:
    """Tells of pretraining every few seconds."""

    def __init__(self) -> None:
        self._last_s = 0.0

    def pretraining(self, pace: Pace) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s > 5 or pace.step == pace.steps:
            self._last_s = now_s
            print(f"base {pace.step}/{pace.steps}  loss {pace.loss:.3f}  {pace.tokens_per_s:,.0f} tokens/s", flush=True)


def _told(progress: Progress) -> None:
    judged = "" if progress.validation_loss is None else f"  validation {progress.validation_loss:.3f}"
    print(
        f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}{judged}  "
        f"{progress.tokens_per_s:,.0f} tokens/s  {progress.eta_s:.0f} s to go",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
