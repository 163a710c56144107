"""Sequences: SFTTrainer that does the same with less work, where rows are not packed.

Logits are asked for only where an answer stands: two thirds of all tokens are prompt. The low-rank matrices are
added to the weights once a step instead of running beside them with every token, which for a narrow network costs
as much as the network itself; dropout on their way in would need them apart. Rows of like length stand side by
side, so that little is padding.
"""

import itertools
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

import torch
from datasets import Dataset
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from transformers import PreTrainedModel
from trl import SFTTrainer

from trainer_job.examples import IGNORED

_WINDOW_BATCHES: Final = 50
"""Among so many batches' worth of examples those of like length are put together."""


class Trainer(SFTTrainer):
    """SFTTrainer with another loss and another order of examples, unless rows are packed."""

    plain: PreTrainedModel | None
    """The network without adapters, for rows that are not packed."""

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int] | None:
        if self.args.packing:
            return super()._get_train_sampler(train_dataset)
        return ByLength([len(ids) for ids in self.train_dataset["input_ids"]], self._train_batch_size, self.args.seed)

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


class ByLength(Sampler[int]):
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


class Padding:
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
