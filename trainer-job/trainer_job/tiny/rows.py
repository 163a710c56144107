"""Rows: papers as token ids, and the steps that a network learns from them in."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from transformers import PreTrainedTokenizerFast

from trainer_job.tiny.text import Paper

_WINDOW: Final = 1200
"""Papers among which those of like length are put together."""
PARTS: Final = 2
"""So many batches of like length make a step: papers of a kind are alike in length, and a step needs several kinds."""


@dataclass(frozen=True, slots=True)
class Row:
    """A paper's tokens; those from `first` on are learned. Nothing foretells the very first."""

    ids: list[int]
    first: int

    @property
    def learned(self) -> list[int]:
        """The tokens that count in the loss."""
        return self.ids[self.first :]


def rows_of(papers: Sequence[Paper], tokenizer: PreTrainedTokenizerFast, most: int) -> list[Row]:
    """Return papers as rows, those of more than so many tokens left out."""
    given = tokenizer([paper.given for paper in papers], add_special_tokens=False)["input_ids"]
    written = tokenizer([paper.written for paper in papers], add_special_tokens=False)["input_ids"]
    rows = [
        Row([*before, *after, *([tokenizer.eos_token_id] if paper.ends else [])], max(1, len(before)))
        for paper, before, after in zip(papers, given, written, strict=True)
    ]
    return [row for row in rows if len(row.ids) <= most]


def steps_of(rows: Sequence[Row], tokens: int, seed: int) -> Iterator[list[list[Row]]]:
    """Yield the parts of each step, of about so many tokens: rows of like length side by side, parts in any order."""
    rng = random.Random(seed)
    for start in range(0, len(rows), _WINDOW):
        window = sorted(rows[start : start + _WINDOW], key=lambda row: len(row.ids))
        parts: list[list[Row]] = [[]]
        for row in window:
            if len(row.ids) * (len(parts[-1]) + 1) > tokens // PARTS and parts[-1]:
                parts.append([])
            parts[-1].append(row)
        rng.shuffle(parts)
        yield from (parts[place : place + PARTS] for place in range(0, len(parts), PARTS))
