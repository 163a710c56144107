"""Search: it finds a lower loss, prunes trials that then end, and goes on where it was stopped."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from trainer_job.base import Base
from trainer_job.hardware import Hardware
from trainer_job.interruption import Interrupted, Interruption
from trainer_job.recipe import Recipe, load_recipe, overridden
from trainer_job.search import search
from trainer_job.training import Diverged, Learn, Lesson, Surroundings, train
from trainer_job.watch import Progress

from shared.artifacts import DirectoryStore
from shared.errors import Rejected
from tests.unit.trainer_job.tiny import examples, network, tokenizer
from tests.unit.trainer_job.toy_run import RUN_ID

WORDS = tokenizer()
RECIPE = load_recipe("tiny_cpu", ["lora.rank=4", "lora.alpha=4", "max_steps=9", "context_tokens=200",
                                  "validation.every_steps=3", "validation.patience=9"])  # fmt: skip
pytestmark = pytest.mark.filterwarnings("default")
torch.set_num_threads(1)


def curve(recipe: Recipe, judged: Callable[[Progress], None]) -> float:
    """Learn the better, the nearer the rate is to 0.01, as a network would, in no time."""
    loss = 1 + abs(recipe.optimizer.learning_rate - 0.01) * 50
    for step in (3, 6, 9):
        judged(Progress(step, 9, loss, 1.0, 1.0, loss + 1 / step))
    return loss + 1 / 9


def quiet(text: str) -> None:
    del text


def test_a_network_is_trained_by_the_overrides_that_are_found(tmp_path: Path) -> None:
    steps: dict[float, int] = {}

    def learn(recipe: Recipe, judged: Callable[[Progress], None]) -> float:
        def counted(progress: Progress) -> None:
            steps[recipe.optimizer.learning_rate] = progress.step
            judged(progress)

        cpu = Hardware(gpu=False, bf16=False, name="test")
        around = Surroundings(tmp_path / "work", cpu, None, counted, Interruption())
        lesson = Lesson(examples(WORDS, 36), examples(WORDS, 8))
        return train(recipe, Base("toy", network(WORDS), WORDS), lesson, around).best_validation_loss

    found = search(DirectoryStore(tmp_path), RUN_ID, RECIPE, 6, learn, quiet)
    losses = [trial.loss for trial in found.trials if trial.state == "complete"]
    assert found.loss == min(losses) < max(losses)
    assert (
        f"optimizer.learning_rate={overridden(RECIPE, found.overrides).optimizer.learning_rate:.6f}" in found.overrides
    )
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    assert all(steps[overridden(RECIPE, trial.overrides).optimizer.learning_rate] < 9 for trial in pruned)


def test_a_search_that_was_stopped_goes_on_to_the_same_result(tmp_path: Path) -> None:
    undisturbed = search(DirectoryStore(tmp_path / "undisturbed"), RUN_ID, RECIPE, 10, curve, quiet)
    tried = []

    def stops(after: int) -> Learn:
        def learn(recipe: Recipe, judged: Callable[[Progress], None]) -> float:
            if len(tried) == after:
                raise Interrupted("stop")
            tried.append(recipe)
            return curve(recipe, judged)

        return learn

    store = DirectoryStore(tmp_path / "stopped")
    for after in (2, 7):
        with pytest.raises(Interrupted):
            search(store, RUN_ID, RECIPE, 10, stops(after), quiet)
    assert search(store, RUN_ID, RECIPE, 10, stops(-1), quiet) == undisturbed
    assert len(tried) == 10


def test_a_trial_that_diverges_is_noted_and_the_search_goes_on(tmp_path: Path) -> None:
    def learn(recipe: Recipe, judged: Callable[[Progress], None]) -> float:
        if recipe.optimizer.learning_rate > 0.006:
            raise Diverged("no number")
        return curve(recipe, judged)

    found = search(DirectoryStore(tmp_path), RUN_ID, RECIPE, 8, learn, quiet)
    assert {trial.state for trial in found.trials} >= {"complete", "failed"}
    assert overridden(RECIPE, found.overrides).optimizer.learning_rate <= 0.006


def test_a_search_in_which_nothing_ends_says_so(tmp_path: Path) -> None:
    def learn(recipe: Recipe, judged: Callable[[Progress], None]) -> float:
        raise Diverged("no number")

    with pytest.raises(Rejected, match="no trial came to an end"):
        search(DirectoryStore(tmp_path), RUN_ID, RECIPE, 2, learn, quiet)
