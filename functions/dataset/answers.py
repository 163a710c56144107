"""Answers: the teacher's responses as their lines say them, parsed but not validated, since our own code wrote them.

What goes into the dataset of one is written as it was read, so that this phase, which is not divided
into shards, does little else than filter, and copy.
"""

from typing import TypedDict

from shared.coach.vocabulary import PromptType
from shared.records import FinishReason


class Slices(TypedDict):
    """What is read of the slices that a person belongs to."""

    goal_type: str


class Marks(TypedDict):
    """What is read of an answer's scores."""

    helpfulness: float


class Call(TypedDict):
    """A TeacherCall as JSON."""

    request_id: str | None
    latency_ms: float
    attempts: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    finish_reason: FinishReason
    cached: bool


class Answer(TypedDict):
    """A TeacherResponse as JSON."""

    query_id: str
    user_id: str
    prompt_type: PromptType
    instruction: str
    system: str
    response: str
    provider: str
    model: str
    slice_tags: Slices
    constraints: list[str]
    summary: str
    rejections: list[str]
    findings: list[str]
    safety_flags: list[str]
    scores: Marks
    weekly_sets: int | None
    sketch: str
    call: Call
