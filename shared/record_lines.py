"""Record lines: dataset records as JSON, parsed but not validated, for who counts all of them.

Building models of a record takes three times as long as parsing it. The dataset phase wrote these lines
from models, and whether they are still whole is for the validate phase to say.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import TypedDict

import orjson

from shared.coach.profile import SliceTags
from shared.coach.vocabulary import Goal, PromptType
from shared.records import Split


class TagsLine(TypedDict):
    """SliceTags as JSON."""

    age_band: str
    sex: str
    goal_type: Goal
    activity_level: str
    condition_flag: str


class ContextLine(TypedDict):
    """What is read of a RecordContext as JSON."""

    prompt_type: PromptType
    slice_tags: TagsLine


class ScoresLine(TypedDict):
    """What is read of Scores as JSON."""

    safety: float
    helpfulness: float


class MetadataLine(TypedDict):
    """What is read of RecordMetadata as JSON."""

    prompt_tokens: int
    completion_tokens: int
    scores: ScoresLine
    weekly_sets: int | None


class RecordLine(TypedDict):
    """What is read of a DatasetRecord as JSON."""

    record_id: str
    split: Split
    instruction: str
    context: ContextLine
    response: str
    metadata: MetadataLine


tag_values: Callable[[TagsLine], tuple[str, ...]] = itemgetter(*SliceTags.model_fields)
"""The slices of a record, in the order of SliceTags."""


def record_lines(lines: Iterable[bytes]) -> Iterator[RecordLine]:
    """Yield the records of lines of all_records.jsonl."""
    return map(orjson.loads, lines)
