"""Generation: answers from a model, many at once, free or under a grammar; greedy or drawn with a seed.

    free      nothing but the end token and the longest answer stop it
    grammar   at each step only tokens that the prompt's own grammar allows; `llguidance` says which

Prompts of similar length run side by side with a key-value cache; whoever has finished leaves the batch. A prompt
that stands in a batch several times is read once. Greedily, the likeliest token is put to the grammar first: only
where it is refused is it worth asking for all that are allowed. A greedy answer that goes round in circles is cut.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from llguidance.numpy import fill_next_token_bitmask
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from shared.coach.person_grammar import NO_FORCING
from shared.errors import Rejected
from trainer_job.roomy_cache import RoomyCache

_LOOP_TOKENS: Final = 96
_LONGEST_PERIOD: Final = 32
_LOOKED_FOR_EVERY: Final = 16
_SHRINK_SHARE: Final = 0.75
"""A batch is made smaller once so few of its rows are still being written."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt, as token ids, and the grammar of its answer: Lark or a JSON schema; None for a free one."""

    prompt: tuple[int, ...]
    grammar: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote: whether it came to an end by itself, and how long it took."""

    text: str
    tokens: int
    finished: bool
    latency_s: float
    """From the start of its batch to its last token."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen; at temperature 0 the likeliest one, whatever the seed."""

    temperature: float = 0.0
    seed: int = 0
    most_tokens: int = 1024
    batch: int = 32


class Writer:
    """A model with its tokenizer, ready to write."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._end = _end_token(tokenizer)
        self._grammars: LLTokenizer = from_tokenizer(tokenizer, n_vocab=model.config.vocab_size, eos_token=self._end)

    def write(
        self, asks: Sequence[Ask], sampling: Sampling, written: Callable[[int], None] = lambda _: None
    ) -> list[Written]:
        """Return an answer to each prompt, in order; raises Rejected where a grammar cannot be read.

        `written` is called with the number of answers so far, after each batch.
        """
        order = sorted(range(len(asks)), key=lambda place: (len(asks[place].prompt), asks[place].prompt))
        answers: dict[int, Written] = {}
        for start in range(0, len(order), sampling.batch):
            places = order[start : start + sampling.batch]
            batch = _Batch([asks[place] for place in places], self._grammars, self._end, sampling)
            answers.update(zip(places, self._write_batch(batch), strict=True))
            written(len(answers))
        return [answers[place] for place in range(len(asks))]

    @torch.inference_mode()
    def _write_batch(self, batch: "_Batch") -> list[Written]:
        device = self._model.device
        ids, mask, rows = batch.prompts(device)
        cache = RoomyCache(self._model.config)
        logits = self._step(ids, mask, cache)
        if len(rows) > len(ids):
            logits, mask = logits[rows], mask[rows]
            cache.batch_select_indices(rows)
        while True:
            going = batch.take(logits)
            if not going.any():
                return batch.written(self._tokenizer)
            if going.float().mean() < _SHRINK_SHARE:
                kept = going.nonzero().squeeze(1)
                batch.keep(kept)
                cache.batch_select_indices(kept.to(device))
                mask = mask[kept.to(device)]
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            logits = self._step(batch.last(device), mask, cache)

    def _step(self, ids: Tensor, mask: Tensor, cache: RoomyCache) -> Tensor:
        """Read some tokens of each row; returns what each expects next."""
        out = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = out.logits[:, -1].float()
        return logits


class _Batch:
    """Answers under way; rows are those still in the model, places those of the batch at its start."""

    def __init__(self, asks: Sequence[Ask], grammars: LLTokenizer, end: int, sampling: Sampling) -> None:
        self._asks = asks
        self._end = end
        self._sampling = sampling
        self._started_s = time.perf_counter()
        self._matchers = [_matcher(grammars, ask.grammar) if ask.grammar else None for ask in asks]
        self._draws = [torch.Generator().manual_seed(_seed(sampling.seed, ask.prompt)) for ask in asks]
        self._tokens: list[list[int]] = [[] for _ in asks]
        self._ended_s: list[float | None] = [None] * len(asks)
        self._finished = [False] * len(asks)
        self._rows = list(range(len(asks)))
        self._words = (grammars.vocab_size + 31) // 32

    def prompts(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Return the different prompts' ids, filled up on the left; where they are; and which one each row has."""
        different = list(dict.fromkeys(ask.prompt for ask in self._asks))
        longest = max(map(len, different))
        ids = torch.zeros(len(different), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(different):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        place = {prompt: row for row, prompt in enumerate(different)}
        rows = torch.tensor([place[ask.prompt] for ask in self._asks])
        return ids.to(device), mask.to(device), rows.to(device)

    def take(self, logits: Tensor) -> Tensor:
        """Choose each row's next token; returns which rows go on."""
        logits = logits.cpu()
        chosen = self._greedy(logits) if self._sampling.temperature == 0 else self._drawn(logits)
        return torch.tensor([self._add(place, token) for place, token in zip(self._rows, chosen, strict=True)])

    def _greedy(self, logits: Tensor) -> list[int]:
        chosen: list[int] = logits.argmax(1).tolist()
        refused = [row for row, token in enumerate(chosen) if not self._allows(self._rows[row], token)]
        if refused:
            self._forbid(logits, refused)
            for row, token in zip(refused, logits[refused].argmax(1).tolist(), strict=True):
                chosen[row] = token
        return chosen

    def _drawn(self, logits: Tensor) -> list[int]:
        guided = [row for row, place in enumerate(self._rows) if self._guides(place) is not None]
        self._forbid(logits, guided)
        shares = torch.softmax(logits / self._sampling.temperature, dim=1)
        draws = (self._draws[place] for place in self._rows)
        return [int(torch.multinomial(share, 1, generator=draw)) for share, draw in zip(shares, draws, strict=True)]

    def _guides(self, place: int) -> LLMatcher | None:
        """Return what guides an answer that is still being written."""
        return self._matchers[place] if self._ended_s[place] is None else None

    def _allows(self, place: int, token: int) -> bool:
        matcher = self._guides(place)
        if matcher is None:
            return True
        return matcher.is_accepting() if token == self._end else matcher.validate_tokens([token]) == 1

    def _forbid(self, logits: Tensor, rows: Sequence[int]) -> None:
        """Make all tokens impossible that the grammars of some rows do not allow."""
        if not rows:
            return
        words = np.full((len(rows), self._words), -1, dtype=np.int32)
        for place, row in enumerate(rows):
            fill_next_token_bitmask(self._matchers[self._rows[row]], words, place)
        # Not llguidance's own function for tensors: it compiles itself at import, which takes a C++ compiler.
        forbidden = np.unpackbits(words.view(np.uint8), axis=1, count=logits.shape[1], bitorder="little") == 0
        logits[rows] = logits[rows].masked_fill_(torch.from_numpy(forbidden), -torch.inf)

    def _add(self, place: int, token: int) -> bool:
        """Add a token to an answer; returns whether more may follow."""
        if self._ended_s[place] is not None:
            return False
        matcher, tokens = self._matchers[place], self._tokens[place]
        finished = token == self._end
        if not finished:
            tokens.append(token)
            finished = matcher is not None and _stops_after(matcher, token)
            if not finished and len(tokens) < self._sampling.most_tokens and not self._goes_round(place):
                return True
        self._finished[place] = finished
        self._ended_s[place] = time.perf_counter()
        return False

    def _goes_round(self, place: int) -> bool:
        """Return whether an answer says the same again and again, and nothing will ever end it.

        Under a JSON schema strings are as long as one likes. A Lark grammar is left to end an answer by its bounds.
        """
        tokens, grammar = self._tokens[place], self._asks[place].grammar
        bounded = grammar is not None and not grammar.startswith("{")
        if bounded or self._sampling.temperature or len(tokens) < _LOOP_TOKENS or len(tokens) % _LOOKED_FOR_EVERY:
            return False
        tail = tokens[-_LOOP_TOKENS:]
        return any(tail[:-period] == tail[period:] for period in range(1, _LONGEST_PERIOD + 1))

    def keep(self, rows: Tensor) -> None:
        """Forget all rows but some."""
        self._rows = [self._rows[row] for row in rows.tolist()]

    def last(self, device: torch.device) -> Tensor:
        """Return each row's last token."""
        return torch.tensor([[(self._tokens[place] or [self._end])[-1]] for place in self._rows], device=device)

    def written(self, tokenizer: PreTrainedTokenizerFast) -> list[Written]:
        """Return the answers."""
        return [
            Written(
                text=tokenizer.decode(tokens),
                tokens=len(tokens),
                finished=finished,
                latency_s=(ended_s or self._started_s) - self._started_s,
            )
            for tokens, finished, ended_s in zip(self._tokens, self._finished, self._ended_s, strict=True)
        ]


def _stops_after(matcher: LLMatcher, token: int) -> bool:
    matcher.consume_token(token)
    stopped: bool = matcher.is_stopped()
    return stopped


def _matcher(grammars: LLTokenizer, grammar: str) -> LLMatcher:
    """Return a matcher at the beginning of an answer; an equal grammar is compiled once."""
    return _compiled(grammars, grammar).deep_copy()


@lru_cache(maxsize=256)
def _compiled(grammars: LLTokenizer, grammar: str) -> LLMatcher:
    if grammar.startswith("{"):
        schema = json.dumps({"x-guidance": {"whitespace_flexible": False}} | json.loads(grammar))
        grammar = f"{NO_FORCING}\nstart: %json {schema}\n"
    matcher = LLMatcher(grammars, grammar)
    if matcher.is_error():
        raise Rejected(f"the grammar of an answer cannot be read: {matcher.get_error()[:500]}")
    return matcher


def _seed(seed: int, prompt: tuple[int, ...]) -> int:
    """Return a seed of a prompt's own, so that its answer does not depend on its company."""
    return hash((seed, prompt)) & 0x7FFF_FFFF_FFFF_FFFF


def _end_token(tokenizer: PreTrainedTokenizerFast) -> int:
    end = tokenizer.eos_token_id
    if not isinstance(end, int):
        raise Rejected("the tokenizer has no end token, so no answer would ever end")
    return end
