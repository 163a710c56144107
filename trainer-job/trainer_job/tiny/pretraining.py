"""Pretraining: a small Qwen3-shaped network from nothing, on papers, in one pass.

Muon for the matrices, AdamW for embeddings and norms; a warm-up, a plateau, then down to zero. In fp32: matrices this
small are multiplied no faster in bf16. The same weights every time on one machine.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from shared.errors import Rejected
from trainer_job.tiny.loss import Loss
from trainer_job.tiny.muon import Muon
from trainer_job.tiny.rows import PARTS, Row, rows_of, steps_of
from trainer_job.tiny.team import Adding, team
from trainer_job.tiny.text import Paper

_WORTH_A_TEAM_STEPS: Final = 100
"""Another process needs some seconds to import PyTorch."""


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

    step_tokens: int = 2048
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
class _Work:
    """All that decides what is learned."""

    steps: list[list[list[Row]]]
    tokenizer: PreTrainedTokenizerFast
    shape: Shape
    schedule: Schedule


def pretrain(
    papers: Sequence[Paper],
    tokenizer: PreTrainedTokenizerFast,
    shape: Shape,
    schedule: Schedule,
    report: Callable[[Pace], None],
    processes: int | None = None,
) -> PreTrainedModel:
    """Return a network that has read every paper once, those longer than its context left out.

    The parts of a step are shared among `processes`, by default one a core; however many, the weights are the same.
    """
    steps = list(steps_of(rows_of(papers, tokenizer, shape.context_tokens), schedule.step_tokens, schedule.seed))
    if not steps:
        raise Rejected("there is no paper to pretrain on")
    work = _Work(steps, tokenizer, shape, schedule)
    alone = len(steps) < _WORTH_A_TEAM_STEPS
    with team(processes or (1 if alone else min(len(os.sched_getaffinity(0)), PARTS)), _learn_beside, work) as adding:
        return _learn(work, adding, report)


def _learn_beside(work: _Work, adding: Adding) -> None:
    _learn(work, adding, lambda pace: None)


def _learn(work: _Work, adding: Adding, report: Callable[[Pace], None]) -> PreTrainedModel:
    """Learn all steps together with others, each of whom does the same but for the parts it looks at."""
    schedule, steps = work.schedule, work.steps
    torch.manual_seed(schedule.seed)
    network = Qwen3ForCausalLM(_config(work.tokenizer, work.shape))
    inside = [weights for name, weights in network.named_parameters() if weights.ndim == 2 and "embed" not in name]
    others = [weights for name, weights in network.named_parameters() if weights.ndim != 2 or "embed" in name]
    muon = Muon(inside)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0)
    loss = Loss(work.tokenizer)
    seen, started_s = 0, time.monotonic()
    for step, parts in enumerate(steps, start=1):
        share = _rate(step, len(steps), schedule)
        learned = sum(len(row.learned) for part in parts for row in part)
        value = adding.up(network, [partial(loss.of, network, part) for part in parts], learned)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        muon.step(share * schedule.matrix_rate)
        adam.param_groups[0]["lr"] = share * schedule.vector_rate
        adam.step()
        network.zero_grad()
        seen += sum(len(row.ids) for part in parts for row in part)
        report(Pace(step, len(steps), value, seen / (time.monotonic() - started_s)))
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


def _rate(step: int, steps: int, schedule: Schedule) -> float:
    """Return the share of the full rate at a step, counted from 1."""
    rising = step / max(1.0, steps * schedule.warmup_share)
    falling = (steps - step + 1) / max(1.0, steps * schedule.decay_share)
    return min(1.0, rising, falling)
