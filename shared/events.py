"""Events: every fact on the bus, one frozen model each.

    ConfigDropped ─► RunRequested × shards ─► ProfilesGenerated ─► WorkoutsSimulated ─► QueriesComposed
                     ─► ResponsesCollected, once no shard is missing ─► DatasetBuilt ─► ReportsCompleted, once
                     none of four is missing ─► DatasetApproved | DatasetRejected
    TrainRequested ─► ModelEvaluated, by the job itself ─► ModelRegistered       JobEnded ─► TrainingEnded
    PromoteRequested ─► ModelPromoted | PromotionRejected       ModelPromoted ─► ModelServed | ModelLoadFailed
    AiInteraction, PlanJobRequested: what services tell each other       MonitorDue: the clock's

An event carries ids and URIs, never rows, and nothing that differs between two deliveries of its
cause: no clock, no random id, but for those that somebody's request begins with. Inside v1 fields are
only ever added, with a default.
"""

import hashlib
from typing import Annotated, ClassVar, Literal, TypeGuard
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from shared.coach.vocabulary import PromptType
from shared.event import VERSION, ModelEvent, RunEvent
from shared.event import Event as Event
from shared.notifications import ConfigDropped as ConfigDropped
from shared.notifications import JobEnded as JobEnded

Environment = Literal["dev", "stage", "prod"]
Target = Literal["subprocess", "cloud_run", "batch"]
JobOutcome = Literal["succeeded", "failed", "preempted", "cancelled"]
Percent = Annotated[int, Field(ge=1, le=100)]
Uuid = Annotated[str, AfterValidator(lambda value: str(UUID(value)))]
Tokens = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(ge=0)]


class ShardEvent(RunEvent):
    """Part of a run: shard number `shard` of `shards`."""

    shard: int = Field(ge=0)
    shards: int = Field(ge=1)

    def part(self) -> str:
        """Return the shard's number."""
        return f"{self.shard:04d}"


class RunRequested(ShardEvent):
    """A shard of a run may start."""

    topic: ClassVar[str] = "run-requested"


class ProfilesGenerated(ShardEvent):
    """The people of a shard exist."""

    topic: ClassVar[str] = "profiles-generated"
    profiles_uri: str


class WorkoutsSimulated(ShardEvent):
    """The plans and training logs of a shard's people exist."""

    topic: ClassVar[str] = "workouts-simulated"
    workouts_uri: str


class QueriesComposed(ShardEvent):
    """The messages of a shard's people exist."""

    topic: ClassVar[str] = "queries-composed"
    queries_uri: str


class ResponsesCollected(RunEvent):
    """The teacher has answered every shard."""

    topic: ClassVar[str] = "responses-collected"
    shards: int = Field(ge=1)


class DatasetBuilt(RunEvent):
    """The dataset and its manifest exist."""

    topic: ClassVar[str] = "dataset-built"
    manifest_uri: str


class ReportsCompleted(RunEvent):
    """All four quality reports exist."""

    topic: ClassVar[str] = "reports-completed"


class DatasetApproved(RunEvent):
    """The gate found the dataset good enough to train on."""

    topic: ClassVar[str] = "dataset-approved"
    manifest_uri: str
    gate_uri: str


class DatasetRejected(RunEvent):
    """The gate found the dataset not good enough; the reasons stand in its report."""

    topic: ClassVar[str] = "dataset-rejected"
    manifest_uri: str
    gate_uri: str
    reasons: tuple[str, ...]


class TrainRequested(RunEvent):
    """A student is to be trained on a run's dataset; asked twice, it is one job."""

    topic: ClassVar[str] = "train-requested"
    recipe: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    overrides: tuple[str, ...] = ()
    """Each KEY=VALUE: knobs of the recipe to turn."""
    target: Target | None = None
    """Where the job runs; None is the stack's own place."""

    def part(self) -> str:
        """Return the recipe's name."""
        return self.recipe


class TrainingEnded(RunEvent):
    """A training job has ended, and this is how."""

    topic: ClassVar[str] = "training-ended"
    version: str | None = Field(pattern=VERSION)
    """None where the job ended before it knew."""
    job: str
    outcome: JobOutcome
    reason: str


class ModelEvaluated(ModelEvent):
    """A model's files, its evaluation report and its manifest exist."""

    topic: ClassVar[str] = "model-evaluated"
    manifest_uri: str


class ModelRegistered(ModelEvent):
    """Every file of a model is what its manifest says, and the registry lists it."""

    topic: ClassVar[str] = "model-registered"
    manifest_uri: str


class PromoteRequested(ModelEvent):
    """Somebody wants a version to serve an environment, all of its requests or a share of them."""

    topic: ClassVar[str] = "promote-requested"
    environment: Environment
    percent: Percent = 100
    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field(max_length=1000)
    force: bool = False
    request_id: str = Field(default="", max_length=100)
    """Tells a request from an earlier one that asked for the same: two equal messages are one request."""

    def part(self) -> str:
        """Return the version's last digits, the environment, and a digest of the request."""
        return f"{super().part()}/{self.environment}/{hashlib.sha256(self.data()).hexdigest()[:8]}"


class ModelPromoted(ModelEvent):
    """An environment's pointer names this version; whoever serves it is to load it."""

    topic: ClassVar[str] = "model-promoted"
    environment: Environment
    percent: Percent
    manifest_uri: str
    decision_id: str


class PromotionRejected(ModelEvent):
    """A version may not serve an environment, and this is every reason why."""

    topic: ClassVar[str] = "promotion-rejected"
    environment: Environment
    decision_id: str
    reasons: tuple[str, ...]


class ModelServed(ModelEvent):
    """A server has loaded a version, and answers with it."""

    topic: ClassVar[str] = "model-served"
    environment: Environment
    percent: Percent
    backend: str
    """URL of the server."""
    adapter: str
    """The name under which that server has the version."""


class ModelLoadFailed(ModelEvent):
    """A server could not load a version; what it served before it still serves."""

    topic: ClassVar[str] = "model-load-failed"
    environment: Environment
    backend: str
    reason: str


class MonitorDue(Event):
    """It is time to look for what stands still: the clock's message, and nobody's fault if it comes twice."""

    topic: ClassVar[str] = "monitor-due"
    schedule: str = Field(min_length=1, max_length=100)
    """Whose clock it is."""


class PlanJobRequested(Event):
    """A plan is to be made in the background: the plan service's message to itself."""

    topic: ClassVar[str] = "plan-job-requested"
    job_id: Uuid
    user_id: str

    def about(self) -> str:
        """Return the job's id."""
        return self.job_id


class AiInteraction(Event):
    """A model was asked, and this is what came of it. Long texts lie in an artifact, under their URIs."""

    topic: ClassVar[str] = "ai-interaction"
    interaction_id: Uuid
    request_id: str
    occurred_at: AwareDatetime
    user_id: str | None
    caller: str
    """The service, or the API key's name, that asked."""
    prompt_type: PromptType | None
    alias: str
    model_version: str | None
    base_model: str | None
    adapter_sha256: str | None
    status: Literal["answered", "refused", "aborted", "failed", "fallback"]
    reason: str | None
    stream: bool
    prompt: str | None
    response: str | None
    prompt_uri: str | None
    response_uri: str | None
    prompt_tokens: Tokens | None
    completion_tokens: Tokens | None
    latency_ms: Milliseconds
    ttft_ms: Milliseconds | None
    """Until the first token."""
    queue_ms: Milliseconds | None
    cost_usd: Annotated[float, Field(ge=0)] | None
    safety_flags: tuple[str, ...]
    context: dict[str, str] = Field(default_factory=dict)

    def about(self) -> str:
        """Return the request's id."""
        return self.request_id


OfARun = RunEvent | ConfigDropped | JobEnded
"""Events that a phase may hear: each belongs to a run."""


def of_a_run(event: Event) -> TypeGuard[OfARun]:
    """Return whether an event belongs to a run."""
    return isinstance(event, OfARun)


EVENTS: tuple[type[Event], ...] = (
    ConfigDropped,
    RunRequested,
    ProfilesGenerated,
    WorkoutsSimulated,
    QueriesComposed,
    ResponsesCollected,
    DatasetBuilt,
    ReportsCompleted,
    DatasetApproved,
    DatasetRejected,
    TrainRequested,
    JobEnded,
    TrainingEnded,
    ModelEvaluated,
    ModelRegistered,
    PromoteRequested,
    ModelPromoted,
    PromotionRejected,
    ModelServed,
    ModelLoadFailed,
    MonitorDue,
    PlanJobRequested,
    AiInteraction,
)
