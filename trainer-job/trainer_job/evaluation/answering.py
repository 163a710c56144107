"""Answering: the prompts of an evaluation put to one model, in each way of decoding.

The same renderer, grammars and end of an answer as in serving. All ways of decoding run side by side, so that
a prompt is read once; an answer is cut where the context ends.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from shared.eval_report import Mode
from shared.prompt import Prompt, render
from shared.records import Query
from trainer_job.evaluation.prompts import grammar
from trainer_job.examples import prompt_ids
from trainer_job.generation import Ask, Sampling, Writer, Written

MOST_TOKENS: Final = 1024
"""As in serving."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model made of some prompts, in order, by way of decoding."""

    written: dict[Mode, list[Written]]
    prompt_tokens: list[int]
    seconds: float

    @property
    def tokens(self) -> int:
        """All tokens that were written."""
        return sum(one.tokens for written in self.written.values() for one in written)

    def first(self, count: int) -> "Answers":
        """Return those to the first so many prompts, with their share of the time."""
        written = {mode: found[:count] for mode, found in self.written.items()}
        kept = Answers(written, self.prompt_tokens[:count], self.seconds)
        return replace(kept, seconds=self.seconds * kept.tokens / max(1, self.tokens))


class Answerer:
    """A model that is put to the test."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, seed: int, batch: int) -> None:
        self.model = model
        self._tokenizer = tokenizer
        self._writer = Writer(model, tokenizer)
        self._seed = seed
        self._batch = batch

    def answer(
        self,
        queries: Sequence[Query],
        modes: Sequence[Mode],
        told: Callable[[int], None] = lambda _: None,
        prompts: Sequence[Prompt] | None = None,
    ) -> Answers:
        """Return an answer to each message; `prompts` stand in the place of those that would be rendered."""
        started_s = time.perf_counter()
        rendered = [rendered_of(query) for query in queries] if prompts is None else prompts
        ids = [tuple(prompt_ids(_messages(prompt), self._tokenizer)) for prompt in rendered]
        asks = [Ask(prompt, grammar(mode, query)) for mode in modes for prompt, query in zip(ids, queries, strict=True)]
        sampling = Sampling(seed=self._seed, most_tokens=self._room(ids), batch=self._batch)
        written = self._writer.write(asks, sampling, told)
        by_mode = {mode: written[place * len(ids) : (place + 1) * len(ids)] for place, mode in enumerate(modes)}
        return Answers(by_mode, [len(one) for one in ids], time.perf_counter() - started_s)

    def _room(self, prompts: Sequence[Sequence[int]]) -> int:
        """Return how long an answer may become behind the longest prompt."""
        context = getattr(self.model.config, "max_position_embeddings", MOST_TOKENS * 4)
        return max(1, min(MOST_TOKENS, context - max(map(len, prompts), default=0)))


def rendered_of(query: Query) -> Prompt:
    """Return a message as every model is asked it."""
    return render(query.prompt_type, query.profile, query.request, query.plan, query.summary)


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    return [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
