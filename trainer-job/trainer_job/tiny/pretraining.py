"""Pretraining: a small Qwen3-shaped network from nothing, on papers, in one pass.

    ids      a paper's tokens and the end token; only what was written counts in the loss
    batches  papers of like length, so many tokens a step
    rates    Muon for the matrices, AdamW for embeddings and norms; a warm-up, a plateau, then down to zero

One thread gives the same weights every time on one machine.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from shared.errors import Rejected
from trainer_job.tiny.muon import Muon
from trainer_job.tiny.text import Paper

_WINDOW: Final = 1200
"""Papers among which those of like length are put together."""
_IGNORED: Final = -100


@dataclass(frozen=True, slots=True)
class Shape:
    """A network's size. Heads have 32 or 64 dimensions: what vLLM computes on a CPU."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    key_heads: int = 2
    head_dim: int = 32
    inner: int = 384
    context_tokens: int = 4096


@dataclass(frozen=True, slots=True)
class Schedule:
    """How it learns."""

    step_tokens: int = 3072
    matrix_rate: float = 0.02
    vector_rate: float = 0.004
    warmup_share: float = 0.03
    decay_share: float = 0.6
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """How far pretraining is."""

    step: int
    steps: int
    loss: float
    tokens_per_s: float


@dataclass(frozen=True, slots=True)
class _Row:
    ids: list[int]
    given: int


def pretrain(
    papers: Sequence[Paper],
    tokenizer: PreTrainedTokenizerFast,
    shape: Shape,
    schedule: Schedule,
    report: Callable[[Pace], None],
) -> PreTrainedModel:
    """Return a network that has read every paper once, those longer than its context left out."""
    torch.manual_seed(schedule.seed)
    network = Qwen3ForCausalLM(_config(tokenizer, shape))
    batches = list(_batches(_rows(papers, tokenizer, shape.context_tokens), schedule))
    if not batches:
        raise Rejected("there is no paper to pretrain on")
    inside = [weights for name, weights in network.named_parameters() if weights.ndim == 2 and "embed" not in name]
    others = [weights for name, weights in network.named_parameters() if weights.ndim != 2 or "embed" in name]
    muon = Muon(inside)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0)
    seen, started_s = 0, time.monotonic()
    for step, batch in enumerate(batches, start=1):
        share = _rate(step, len(batches), schedule)
        loss = _loss(network, batch, tokenizer.pad_token_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        muon.step(share * schedule.matrix_rate)
        adam.param_groups[0]["lr"] = share * schedule.vector_rate
        adam.step()
        network.zero_grad()
        seen += sum(len(row.ids) for row in batch)
        report(Pace(step, len(batches), loss.item(), seen / (time.monotonic() - started_s)))
    return network.eval()


def _config(tokenizer: PreTrainedTokenizerFast, shape: Shape) -> Qwen3Config:
    return Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        head_dim=shape.head_dim,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.context_tokens,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )


def _rows(papers: Sequence[Paper], tokenizer: PreTrainedTokenizerFast, most: int) -> list[_Row]:
    given = tokenizer([paper.given for paper in papers], add_special_tokens=False)["input_ids"]
    written = tokenizer([paper.written for paper in papers], add_special_tokens=False)["input_ids"]
    rows = [
        _Row([*before, *after, tokenizer.eos_token_id], len(before))
        for before, after in zip(given, written, strict=True)
    ]
    return [row for row in rows if len(row.ids) <= most]


def _batches(rows: Sequence[_Row], schedule: Schedule) -> Iterator[list[_Row]]:
    """Yield rows of like length side by side, the batches of a window in any order."""
    rng = random.Random(schedule.seed)
    for start in range(0, len(rows), _WINDOW):
        window = sorted(rows[start : start + _WINDOW], key=lambda row: len(row.ids))
        batches: list[list[_Row]] = [[]]
        for row in window:
            if len(row.ids) * (len(batches[-1]) + 1) > schedule.step_tokens and batches[-1]:
                batches.append([])
            batches[-1].append(row)
        rng.shuffle(batches)
        yield from batches


def _rate(step: int, steps: int, schedule: Schedule) -> float:
    """Return the share of the full rate at a step, counted from 1."""
    rising = step / max(1.0, steps * schedule.warmup_share)
    falling = (steps - step + 1) / max(1.0, steps * schedule.decay_share)
    return min(1.0, rising, falling)


def _loss(network: PreTrainedModel, rows: Sequence[_Row], pad: int) -> Tensor:
    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([row.ids + [pad] * (longest - len(row.ids)) for row in rows])
    labels = torch.full_like(ids, _IGNORED)
    for place, row in enumerate(rows):
        labels[place, row.given : len(row.ids)] = ids[place, row.given : len(row.ids)]
    labels = labels[:, 1:]
    learned = labels != _IGNORED
    # Rows are filled up on the right, where causal attention never looks: no mask is needed.
    hidden = network.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    return cross_entropy(network.get_output_embeddings()(hidden[learned]), labels[learned])
