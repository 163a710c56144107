"""Loss: what a model thinks of the answers in the held-out split, example by example."""

from collections.abc import Sequence

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from trainer_job.evaluation.pairing import ExampleLoss
from trainer_job.examples import IGNORED, Example

_BATCH_TOKENS = 16_384


@torch.inference_mode()
def example_losses(model: PreTrainedModel, examples: Sequence[Example]) -> list[ExampleLoss]:
    """Return each example's loss summed over its answer, and the answer's tokens, in order."""
    model.eval()
    found: dict[int, ExampleLoss] = {}
    for places in _batches(examples):
        found.update(zip(places, _losses(model, [examples[place] for place in places]), strict=True))
    return [found[place] for place in range(len(examples))]


def _batches(examples: Sequence[Example]) -> list[list[int]]:
    """Return places in batches of like length, none with more than so many tokens."""
    order = sorted(range(len(examples)), key=lambda place: len(examples[place].ids))
    batches: list[list[int]] = [[]]
    for place in order:
        if (len(batches[-1]) + 1) * len(examples[place].ids) > _BATCH_TOKENS and batches[-1]:
            batches.append([])
        batches[-1].append(place)
    return [batch for batch in batches if batch]


def _losses(model: PreTrainedModel, examples: Sequence[Example]) -> list[ExampleLoss]:
    longest = max(len(example.ids) for example in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    labels = torch.full_like(ids, IGNORED)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        labels[row, : len(example.ids)] = torch.tensor(example.labels)
    ids, labels = ids.to(model.device), labels[:, 1:].to(model.device)
    # Rows are filled up on the right, where causal attention never looks: no mask is needed.
    hidden = model.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    learned = labels != IGNORED
    logits = model.get_output_embeddings()(hidden[learned]).float()
    each = cross_entropy(logits, labels[learned], reduction="none").double()
    rows = learned.nonzero()[:, 0]
    sums = torch.zeros(len(examples), dtype=torch.double, device=ids.device).index_add_(0, rows, each)
    return list(zip(sums.tolist(), learned.sum(1).tolist(), strict=True))
