"""Records: the lines of a run's artifacts that more than one phase reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shared.coach.plan import WorkoutPlan
from shared.coach.profile import SliceTags, UserProfile
from shared.coach.scenario import Scenario
from shared.coach.scoring import Scores
from shared.coach.training_log import TrainingSummary
from shared.coach.vocabulary import CHANGES, PromptType
from shared.frozen import Frozen


class Message(Frozen):
    """What a person writes to their coach, and what stands behind it."""

    query_id: str
    prompt_type: PromptType
    request: str
    """The person's own words."""
    scenario: Scenario
    constraints: tuple[str, ...]
    """What a safe answer must respect, in words; also in the dataset record."""


@dataclass(frozen=True, slots=True)
class Query:
    """A message with all that the coach knows of who sends it."""

    query_id: str
    user_id: str
    prompt_type: PromptType
    request: str
    scenario: Scenario
    profile: UserProfile
    plan: WorkoutPlan | None
    """The current plan, where the message is about changing it."""
    summary: TrainingSummary | None
    slice_tags: SliceTags
    constraints: tuple[str, ...]


class Correspondence(Frozen):
    """A person with all that their coach knows, told once, and the messages that they send."""

    profile: UserProfile
    plan: WorkoutPlan
    summary: TrainingSummary
    slice_tags: SliceTags
    messages: tuple[Message, ...]

    def queries(self) -> Iterator[Query]:
        """Yield each message with what the coach has to know for it."""
        for message in self.messages:
            yield Query(
                query_id=message.query_id,
                user_id=self.profile.user_id,
                prompt_type=message.prompt_type,
                request=message.request,
                scenario=message.scenario,
                profile=self.profile,
                plan=self.plan if message.prompt_type in CHANGES else None,
                summary=None if message.prompt_type == "plan_creation" else self.summary,
                slice_tags=self.slice_tags,
                constraints=message.constraints,
            )


FinishReason = Literal["stop", "length", "content_filter", "error"]


class TeacherCall(Frozen):
    """How an answer was got: what varies from run to run, and what it cost."""

    request_id: str | None = None
    latency_ms: float = 0.0
    attempts: int = 1
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    """What this run paid; 0 where the answer came from another run's cache."""
    finish_reason: FinishReason = "stop"
    cached: bool = False


class TeacherResponse(Frozen):
    """A teacher's answer to one query: its text, how it was got, and what the checker says."""

    query_id: str
    user_id: str
    prompt_type: PromptType
    instruction: str
    """The rendered user message, as every model sees it."""
    system: str
    response: str
    """The answer in the wire form, reasoning and fences removed; empty where there was none."""
    provider: str
    model: str
    slice_tags: SliceTags
    constraints: tuple[str, ...]
    summary: str
    """The training summary in one line, as rendered into the instruction."""
    rejections: tuple[str, ...]
    """Why it cannot be learned from, as rule ids, worst first; empty means accepted."""
    findings: tuple[str, ...]
    """The same in words, for people."""
    safety_flags: tuple[str, ...]
    scores: Scores
    weekly_sets: int | None
    """Sets a week of the plan that results, where the answer holds or changes one."""
    sketch: str
    """Request and response boiled down, for finding near-duplicates."""
    call: TeacherCall
    cache_key: str | None = None


class RecordContext(Frozen):
    """What a record is about, for slicing and for evaluation."""

    prompt_type: PromptType
    slice_tags: SliceTags
    constraints: tuple[str, ...]
    summary: str


class RecordMetadata(Frozen):
    """Where a response comes from. Nothing in here varies between two runs of one config."""

    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    safety_flags: tuple[str, ...]
    scores: Scores
    weekly_sets: int | None


Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


class DatasetRecord(Frozen):
    """One example to learn from."""

    record_id: str
    query_id: str
    user_id: str
    split: Split
    instruction: str
    context: RecordContext
    response: str
    metadata: RecordMetadata


class RejectRecord(Frozen):
    """A response that cannot be learned from, kept with every reason."""

    query_id: str
    user_id: str
    prompt_type: PromptType
    slice_tags: SliceTags
    reasons: tuple[str, ...]
    findings: tuple[str, ...]
    instruction: str
    response: str
    scores: Scores | None = None
    """None where the teacher gave no answer to score."""
    duplicate_of: str | None = None
    """The query whose record this one repeats."""


class DatasetFile(Frozen):
    """What a file of the dataset holds, so that a copy can be checked."""

    records: int
    bytes: int
    sha256: str


class DatasetManifest(Frozen):
    """What a dataset is made of and from. Equal configs give equal manifests, whatever the shards."""

    format_version: Literal[1] = 1
    seed: int
    config_sha256: str
    """Of all that decides the content: not shards, and not training."""
    code_version: str
    teacher_provider: str
    teacher_model: str
    users: int
    queries: int
    responses: int
    records: int
    splits: dict[Split, int]
    split_shares: dict[Split, float]
    """As asked for in the config."""
    rejected: dict[str, int]
    """By the first reason of each."""
    rejected_by_type: dict[PromptType, int]
    files: dict[str, DatasetFile]
    inputs: dict[str, str]
    """sha256 of what was read, by phase, independent of how it was sharded."""


class TeacherTotals(Frozen):
    """What the teacher took, over a run."""

    calls: int
    cached: int
    attempts: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    latency_ms_p50: float
    latency_ms_p95: float
    finish_reasons: dict[str, int]


class ChatMessage(Frozen):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatExample(Frozen):
    """A record as a trainer reads it: the very messages that serving sends, and the answer."""

    record_id: str
    messages: tuple[ChatMessage, ...]
