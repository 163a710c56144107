"""Training: it learns, goes on bit by bit where it was stopped, and says why it stops."""

import hashlib
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from trainer_job.base import Base, load_base
from trainer_job.checkpoints import Checkpoints
from trainer_job.hardware import Hardware
from trainer_job.interruption import Interrupted, Interruption
from trainer_job.recipe import Recipe, load_recipe
from trainer_job.training import Diverged, Lesson, Surroundings, Trained, train
from trainer_job.watch import Progress
from transformers import PreTrainedModel

from shared.artifacts import DirectoryStore
from shared.errors import Rejected, Unavailable
from tests.unit.trainer_job.tiny import examples, network, tokenizer

WORDS = tokenizer()
CPU = Hardware(gpu=False, bf16=False, name="test")
pytestmark = pytest.mark.filterwarnings("default")
torch.set_num_threads(1)


def recipe(*overrides: str) -> Recipe:
    small = ["lora.rank=4", "validation.every_steps=4", "batches.examples=4", "max_steps=12", "context_tokens=200"]
    return load_recipe("tiny_cpu", [*small, *overrides])


def run(
    out: Path,
    chosen: Recipe,
    each: Callable[[Progress], None] = lambda _: None,
    model: PreTrainedModel | None = None,
) -> Trained:
    interruption = Interruption()
    around = Surroundings(out / "work", CPU, checkpoints(out), each, interruption)
    lesson = Lesson(examples(WORDS, 64), examples(WORDS, 8))
    with interruption.heard():
        return train(chosen, Base("models/base/toy", model or network(WORDS), WORDS), lesson, around)


def checkpoints(out: Path) -> Checkpoints:
    return Checkpoints(DirectoryStore(out / "store"), "models/toy/checkpoints")


def adapter(out: Path) -> str:
    return hashlib.sha256((out / "work/adapter/adapter_model.safetensors").read_bytes()).hexdigest()


def test_the_loss_falls_and_progress_is_told(tmp_path: Path) -> None:
    told: list[Progress] = []
    trained = run(tmp_path, recipe(), told.append)
    assert trained.best_validation_loss < trained.first_validation_loss
    assert (told[-1].step, told[-1].steps) == (12, 12)
    assert told[-1].tokens_per_s > 0


def test_a_run_that_was_told_to_stop_goes_on_to_the_same_adapter(tmp_path: Path) -> None:
    undisturbed, stopped = tmp_path / "undisturbed", tmp_path / "stopped"
    run(undisturbed, recipe())

    def stop(progress: Progress) -> None:
        if progress.step >= 4:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="of 12; start it again"):
        run(stopped, recipe(), stop)
    assert not (stopped / "work/adapter").exists()
    run(stopped, recipe())
    assert adapter(stopped) == adapter(undisturbed)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    def poison(progress: Progress) -> None:
        if progress.step == 8 and progress.validation_loss is not None:
            with torch.no_grad():
                next(weights for weights in model.parameters() if weights.requires_grad).fill_(float("nan"))

    model = network(WORDS)
    with pytest.raises(Diverged, match=r"lower optimizer.learning_rate"):
        run(tmp_path, recipe(), poison, model)
    assert checkpoints(tmp_path).steps() == [4, 8]
    assert not (tmp_path / "work/adapter").exists()


def test_merging_the_low_rank_matrices_first_gives_the_loss_of_running_them_beside(tmp_path: Path) -> None:
    trained = run(tmp_path, recipe())
    beside = PeftModel.from_pretrained(network(WORDS), tmp_path / "work/adapter")
    losses = []
    for example in examples(WORDS, 8).kept:
        logits = beside(input_ids=torch.tensor([example.ids])).logits[0, :-1]
        losses.append(torch.nn.functional.cross_entropy(logits, torch.tensor(example.labels[1:]), reduction="none"))
    learned = torch.cat([loss[loss != 0] for loss in losses])
    assert learned.mean().item() == pytest.approx(trained.best_validation_loss, rel=1e-4)


def test_four_bit_weights_are_trained_beside_in_bf16_with_less_memory_for_activations(tmp_path: Path) -> None:
    base = network(WORDS, width=64)
    base.save_pretrained(tmp_path / "base")
    WORDS.save_pretrained(tmp_path / "base")
    chosen = recipe(
        f"base={tmp_path / 'base'}",
        "quantise=nf4",
        "batches.arrange=packed",
        "lora.dropout=0.05",
        "gradient_checkpointing=true",
        "validation.patience=9",
    )
    store = DirectoryStore(tmp_path / "store")
    loaded = load_base(chosen, store, "run", tmp_path / "copy", CPU, lambda _: None)
    quantised = [layer for layer in loaded.model.modules() if type(layer).__name__ == "Linear4bit"]
    assert len(quantised) == 7
    told: list[Progress] = []
    trained = run(tmp_path, chosen, told.append, loaded.model)
    assert trained.best_validation_loss < trained.first_validation_loss
    assert (trained.steps, told[-1].tokens_per_s > 0) == (12, True)


@pytest.mark.parametrize("saving", [False, True], ids=["activations kept", "activations computed again"])
def test_gradients_through_four_bit_weights_are_those_through_what_they_stand_for(saving: bool, tmp_path: Path) -> None:
    network(WORDS, width=64).save_pretrained(tmp_path)
    WORDS.save_pretrained(tmp_path)
    chosen = recipe(f"base={tmp_path}", "quantise=nf4")
    four = load_base(chosen, DirectoryStore(tmp_path), "run", tmp_path, CPU, lambda _: None).model
    plain = network(WORDS, width=64)
    for name, layer in four.named_modules():
        if type(layer).__name__ == "Linear4bit":
            stands_for = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
            plain.get_submodule(name).weight.data = stands_for.float()
    ids = torch.tensor([examples(WORDS, 1).kept[0].ids])
    found = []
    for model in (four, plain):
        ready = prepare_model_for_kbit_training(model, use_gradient_checkpointing=saving)
        adapted = get_peft_model(ready, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
        matrices = [weights for name, weights in adapted.named_parameters() if "lora_" in name]
        torch.manual_seed(1)
        for matrix in matrices:
            torch.nn.init.normal_(matrix, std=0.05)
        adapted.train()(input_ids=ids, labels=ids).loss.backward()
        found.append(torch.cat([matrix.grad.flatten().float() for matrix in matrices]))
    assert torch.cosine_similarity(*found, dim=0) > 0.999
    assert found[0].norm().item() == pytest.approx(found[1].norm().item(), rel=0.01)


def test_examples_that_are_packed_learn_the_same(tmp_path: Path) -> None:
    trained = run(tmp_path, recipe("batches.arrange=packed", "batches.examples=1"))
    assert trained.best_validation_loss < trained.first_validation_loss


def test_computing_in_bf16_learns_as_well(tmp_path: Path) -> None:
    assert run(tmp_path / "bf16", recipe("dtype=bf16")).best_validation_loss == pytest.approx(
        run(tmp_path / "fp32", recipe("dtype=fp32")).best_validation_loss, rel=0.05
    )


def test_a_disk_that_is_full_stops_a_training_that_goes_on_when_there_is_room(tmp_path: Path) -> None:
    undisturbed, full = tmp_path / "undisturbed", tmp_path / "full"
    run(undisturbed, recipe())

    def fill(progress: Progress) -> None:
        if progress.step == 8:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(Unavailable, match=r"no room|File too large"):
            run(full, recipe(), fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert checkpoints(full).steps() == [4]
    run(full, recipe())
    assert adapter(full) == adapter(undisturbed)


def test_tensorboard_has_every_loss_of_a_training_that_was_stopped(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.step >= 4:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        run(tmp_path, recipe(), stop)
    run(tmp_path, recipe())
    board = EventAccumulator(str(tmp_path / "work/tensorboard")).Reload()
    assert [one.step for one in board.Scalars("loss/train")] == [4, 8, 12]
    assert [one.step for one in board.Scalars("loss/validation")] == [0, 4, 8, 12]


@pytest.mark.parametrize("override", ["lora.dropout=0.1", "gradient_checkpointing=true"])
def test_what_would_be_ignored_is_refused(override: str, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"need batches\.arrange: packed"):
        run(tmp_path, recipe(override))
