"""Search: which knobs of a recipe give the lowest validation loss, by short trainings that hopeless ones leave early.

    runs/<run_id>/search/<8 hex of the recipe>/<trial, four digits>.json   one trial that has ended: the receipt
                                               best.json                   the overrides of the best, for --set

The study is made of its receipts: a search that is started again goes on after the last of them, wherever it runs,
and a longer one begins with what a shorter one found. Trials are drawn by a seed and their number.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from shared.artifacts import ArtifactStore
from shared.errors import Rejected
from shared.frozen import Frozen
from shared.paths import run_file
from trainer_job.limits import OutOfMemory
from trainer_job.recipe import Recipe, digest, overridden
from trainer_job.training import Diverged, Learn
from trainer_job.watch import Progress

_STARTUP: Final = 3
"""So many trials are never pruned, and are drawn at random: what a median and a guess are made of."""


class TrialReceipt(Frozen):
    """A trial that has ended."""

    number: int
    state: Literal["complete", "pruned", "failed"]
    overrides: tuple[str, ...]
    params: dict[str, float]
    validation_losses: dict[int, float]
    """By step."""
    loss: float | None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The best of a search."""

    overrides: tuple[str, ...]
    loss: float
    trials: tuple[TrialReceipt, ...]


def search(
    store: ArtifactStore, run_id: str, recipe: Recipe, trials: int, learn: Learn, told: Callable[[str], None]
) -> Found:
    """Return the best of so many trials, earlier starts' included; raises Rejected where none came to an end."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = run_file(run_id, f"search/{digest(recipe)[:8]}")
    study = optuna.create_study(pruner=MedianPruner(n_startup_trials=_STARTUP, n_warmup_steps=0))
    receipts = []
    for number in range(trials):
        name = f"{folder}/{number:04d}.json"
        if store.exists(name):
            receipt = TrialReceipt.model_validate_json(store.read(name))
            study.add_trial(_as_trial(receipt, recipe))
        else:
            study.sampler = TPESampler(seed=recipe.seed + number, n_startup_trials=_STARTUP)
            receipt = _tried(study, recipe, learn)
            store.create(name, receipt.model_dump_json(indent=2).encode() + b"\n")
        told(f"trial {number}: {receipt.state}, loss {receipt.loss or float('nan'):.4f}, {' '.join(receipt.overrides)}")
        receipts.append(receipt)
    best = _best(receipts)
    found = Found(best.overrides, best.loss or 0.0, tuple(receipts))
    store.delete(f"{folder}/best.json")
    store.create(f"{folder}/best.json", best.model_dump_json(indent=2).encode() + b"\n")
    return found


def _best(receipts: list[TrialReceipt]) -> TrialReceipt:
    ended = [(receipt.loss, receipt.number) for receipt in receipts if receipt.state == "complete" and receipt.loss]
    if not ended:
        raise Rejected("no trial came to an end; make the space smaller: lower optimizer.learning_rate first")
    return receipts[min(ended)[1]]


def _tried(study: optuna.Study, recipe: Recipe, learn: Learn) -> TrialReceipt:
    trial = study.ask(_space(recipe))
    overrides = _overrides(trial.params)
    losses: dict[int, float] = {}

    def judged(progress: Progress) -> None:
        if progress.validation_loss is None:
            return
        losses[progress.step] = progress.validation_loss
        trial.report(progress.validation_loss, progress.step)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        loss = learn(overridden(recipe, overrides), judged)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
        return _receipt(trial, "pruned", overrides, losses, min(losses.values()))
    except (Diverged, OutOfMemory) as exc:
        study.tell(trial, state=TrialState.FAIL)
        return _receipt(trial, "failed", overrides, losses, None, str(exc))
    study.tell(trial, loss)
    return _receipt(trial, "complete", overrides, losses, loss)


def _receipt(
    trial: Trial,
    state: Literal["complete", "pruned", "failed"],
    overrides: tuple[str, ...],
    losses: dict[int, float],
    loss: float | None,
    why: str | None = None,
) -> TrialReceipt:
    finite = {step: value for step, value in losses.items() if math.isfinite(value)}
    return TrialReceipt(
        number=trial.number,
        state=state,
        overrides=overrides,
        params=trial.params,
        validation_losses=finite,
        loss=loss,
        why=why,
    )


def _as_trial(receipt: TrialReceipt, recipe: Recipe) -> FrozenTrial:
    state = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}[receipt.state]
    space = _space(recipe)
    params = {
        name: int(value) if isinstance(space[name], IntDistribution) else value
        for name, value in receipt.params.items()
    }
    return create_trial(
        state=state,
        value=receipt.loss if state == TrialState.COMPLETE else None,
        params=params,
        distributions=space,
        intermediate_values=receipt.validation_losses,
    )


def _space(recipe: Recipe) -> dict[str, BaseDistribution]:
    """Return what is tried: rates around the recipe's, ranks and scales around its own, the length of the warm-up."""
    rate, rank = recipe.optimizer.learning_rate, recipe.lora.rank
    return {
        "optimizer.learning_rate": FloatDistribution(rate / 5, min(1.0, rate * 5), log=True),
        "optimizer.warmup_share": FloatDistribution(0.0, 0.15),
        "lora.rank": IntDistribution(max(1, rank // 2), min(512, rank * 2), log=True),
        "lora.alpha_per_rank": FloatDistribution(0.5, 4.0, log=True),
    }


def _overrides(params: dict[str, float]) -> tuple[str, ...]:
    rank = int(params["lora.rank"])
    return (
        f"optimizer.learning_rate={params['optimizer.learning_rate']:.6f}",
        f"optimizer.warmup_share={params['optimizer.warmup_share']:.4f}",
        f"lora.rank={rank}",
        f"lora.alpha={max(1, round(params['lora.alpha_per_rank'] * rank))}",
    )
