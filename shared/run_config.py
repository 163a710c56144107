"""Run config: everything that decides what a run makes. YAML in, checked, and kept in run.json."""

import hashlib
import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from shared.coach.vocabulary import PromptType
from shared.frozen import Frozen

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


def _environment_name(value: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):
        raise ValueError("must be the NAME of an environment variable, such as TEACHER_API_KEY")
    return value


class MockTeacher(Frozen):
    """The rule-based coach: deterministic, free, and right by construction."""

    provider: Literal["mock"] = "mock"


class OpenAICompatibleTeacher(Frozen):
    """Any endpoint that speaks /chat/completions."""

    provider: Literal["openai_compatible"]
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")]
    """Up to and without /chat/completions, such as http://127.0.0.1:8000/v1."""
    model: Annotated[str, Field(min_length=1, max_length=200)]
    api_key_env: Annotated[str, AfterValidator(_environment_name)] | None = None
    """Name of the environment variable that holds the key; the key itself stands nowhere."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.6
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_output_tokens: Annotated[int, Field(ge=64, le=32_768)] = 1024
    structured_output: Literal["json_schema", "json_object", "none"] = "json_schema"
    """`json_schema` where the endpoint supports it; refused by one that does not."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    """Requests in flight, over the whole run."""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Prompt and answer together, over the whole run."""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 120
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 6
    usd_per_million_prompt_tokens: Annotated[float, Field(ge=0)] = 0
    usd_per_million_completion_tokens: Annotated[float, Field(ge=0)] = 0
    max_cost_usd: Annotated[float, Field(gt=0)] | None = None
    """Hard limit: no request is sent that could exceed it."""

    @model_validator(mode="after")
    def _a_limit_needs_prices(self) -> "OpenAICompatibleTeacher":
        prices = self.usd_per_million_prompt_tokens + self.usd_per_million_completion_tokens
        if self.max_cost_usd is not None and not prices:
            raise ValueError(
                "max_cost_usd needs usd_per_million_prompt_tokens and/or usd_per_million_completion_tokens"
            )
        return self


class RecordedTeacher(Frozen):
    """Answers that an earlier run or another tool wrote down."""

    provider: Literal["recorded"]
    path: Annotated[str, Field(min_length=1)]
    """A JSONL of {"query_id" or "instruction", "response", "model"?}; a path, relative to where the run is started."""


Teacher = Annotated[MockTeacher | OpenAICompatibleTeacher | RecordedTeacher, Field(discriminator="provider")]


class QueriesPerUser(Frozen):
    """How many messages of each type a person sends; 0.8 means four of five people send one."""

    plan_creation: Annotated[float, Field(ge=0, le=20)] = 1.0
    plan_modification: Annotated[float, Field(ge=0, le=20)] = 0.8
    safety_adjustment: Annotated[float, Field(ge=0, le=20)] = 0.8
    progress_adaptation: Annotated[float, Field(ge=0, le=20)] = 0.8
    coach_chat: Annotated[float, Field(ge=0, le=20)] = 0.6

    @model_validator(mode="after")
    def _some(self) -> "QueriesPerUser":
        if not any(self.rates.values()):
            raise ValueError("at least one type needs more than 0 messages")
        return self

    @property
    def rates(self) -> dict[PromptType, float]:
        """Messages per person by prompt type."""
        return {
            "plan_creation": self.plan_creation,
            "plan_modification": self.plan_modification,
            "safety_adjustment": self.safety_adjustment,
            "progress_adaptation": self.progress_adaptation,
            "coach_chat": self.coach_chat,
        }


class DatasetSettings(Frozen):
    """What may be learned from, and how it is divided."""

    min_response_chars: Count = 40
    max_response_chars: Count = 8000
    min_helpfulness: Share = 0.5
    near_duplicate_jaccard: Annotated[float, Field(ge=0.5, le=1)] = 0.95
    """Word-shingle similarity from which the later of two records is dropped; 1 keeps all but exact ones."""
    val: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.1


class GateSettings(Frozen):
    """When a dataset is good enough to be trained on."""

    min_records: Annotated[int, Field(ge=1)] = 50
    max_rejected_share: Share = 0.2
    min_distinct_responses: Share = 0.95
    max_split_deviation: Share = 0.05
    """Largest difference between a split's share and the share asked for."""
    max_shift: Annotated[float, Field(ge=0)] = 0.25
    """Largest population stability index against the previous run; 0.25 is the usual alarm."""
    max_pass_rate_gap: Share = 0.15
    """Largest difference in pass rate between a slice and the rest, beyond its confidence interval."""
    min_safety_rate: Share = 1.0
    min_slice_size: Annotated[int, Field(ge=1)] = 20
    """Below this a slice is reported, not judged."""


class TrainingSettings(Frozen):
    """Whether an approved dataset starts a training by itself, and with which recipe."""

    start: bool = False
    recipe: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")] = "tiny_cpu"
    overrides: tuple[Annotated[str, Field(pattern=r"^[a-z_.]+=.+$")], ...] = ()
    """Knobs of the recipe to turn, such as epochs=2."""
    target: Literal["subprocess", "cloud_run", "batch"] | None = None
    """Where the job runs: a process here, Cloud Run, or Batch on Spot GPUs; null is the stack's own place."""


class RunConfig(Frozen):
    """A run: how many people, what they ask, who answers, and what counts as good."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)]
    as_of_date: Annotated[date, Field(ge=date(1950, 1, 1), le=date(2200, 1, 1))]
    """Today, as far as the run is concerned: ages and logs end here."""
    users: Annotated[int, Field(ge=1, le=1_000_000)]
    shards: Annotated[int, Field(ge=1, le=1000)] = 4
    """Parts that users are divided into, worked on side by side. Changes no artifact of the dataset."""
    lookback_days: Annotated[int, Field(ge=14, le=365)] = 56
    """Days of training log before as_of_date."""
    queries_per_user: QueriesPerUser = QueriesPerUser()
    teacher: Teacher = MockTeacher()
    dataset: DatasetSettings = DatasetSettings()
    gate: GateSettings = GateSettings()
    training: TrainingSettings = TrainingSettings()

    @model_validator(mode="after")
    def _shards_have_users(self) -> "RunConfig":
        if self.shards > self.users:
            raise ValueError(f"shards ({self.shards}) must not be more than users ({self.users})")
        return self


class RunFile(Frozen):
    """run.json: a run's config as resolved by intake, and what else a later reader needs to know."""

    run_id: str
    config: RunConfig
    config_sha256: str
    code_version: str
    dropped_as: str
    """Bucket, name and generation of the config object."""


def config_sha256(config: RunConfig) -> str:
    """Return a digest of all that decides a dataset's content: not its name, shards or training."""
    content = config.model_dump_json(exclude={"name", "shards", "training", "gate"})
    return hashlib.sha256(content.encode()).hexdigest()
