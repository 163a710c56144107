"""Examples: chat records as token ids and labels, the prompt masked, the answer to be learned.

    {"messages": [system, user, assistant], "record_id"}   one a line, as the dataset phase writes them

Labels are the ids, with IGNORED in the prompt's place; the end token belongs to the answer. An example
longer than the context is left out whole and counted: an answer cut in its middle teaches to stop there.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from shared.errors import Rejected

IGNORED: Final = -100


@dataclass(frozen=True, slots=True)
class Example:
    """One record, ready to be learned from."""

    record_id: str
    ids: list[int]
    labels: list[int]


@dataclass(slots=True)
class Examples:
    """A split, and what was left out of it."""

    kept: list[Example] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)
    """Records longer than the context, by id."""

    @property
    def tokens(self) -> int:
        """All tokens, prompts included."""
        return sum(len(example.ids) for example in self.kept)

    @property
    def learned_tokens(self) -> int:
        """The tokens that count in the loss."""
        return sum(label != IGNORED for example in self.kept for label in example.labels)

    def dataset(self) -> Dataset:
        """Return the examples in the form that trainers read."""
        return Dataset.from_dict(
            {
                "input_ids": [example.ids for example in self.kept],
                "labels": [example.labels for example in self.kept],
            }
        )


def read_examples(
    lines: Iterable[bytes], tokenizer: PreTrainedTokenizerBase, context_tokens: int, split: str
) -> Examples:
    """Return a split's examples; raises Rejected where a line is no chat record, or where none is left."""
    examples = Examples()
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            *prompt, answer = record["messages"]
            record_id = str(record["record_id"])
        except (ValueError, KeyError, TypeError) as exc:
            raise Rejected(f"{split}, line {number}: not a chat record: {exc}") from exc
        example = _example(record_id, prompt, answer, tokenizer)
        if len(example.ids) > context_tokens:
            examples.too_long.append(record_id)
        else:
            examples.kept.append(example)
    if not examples.kept:
        why = f"all {len(examples.too_long)} records are longer than {context_tokens} tokens"
        raise Rejected(f"the split {split} is empty" + (f": {why}" if examples.too_long else ""))
    return examples


def _example(
    record_id: str, prompt: list[dict[str, str]], answer: dict[str, str], tokenizer: PreTrainedTokenizerBase
) -> Example:
    asked = prompt_ids(prompt, tokenizer)
    both = tokenizer.apply_chat_template([*prompt, answer], tokenize=False)
    ids = tokenizer(both, add_special_tokens=False)["input_ids"]
    if ids[: len(asked)] != asked:
        raise Rejected(f"record {record_id}: the chat template changes the prompt when an answer follows it")
    return Example(record_id, ids, [IGNORED] * len(asked) + ids[len(asked) :])


def prompt_ids(prompt: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return what a model reads before it writes; the same in training, evaluation and serving."""
    text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
