"""Settings: what the router is told by its environment."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.inference_router.admission import Places
from services.inference_router.breaker import Patience
from shared.events import Environment

NO_KEY = SecretStr("")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take."""

    context_tokens: int
    output_tokens: int
    body_bytes: int
    first_token_s: float
    between_tokens_s: float
    total_s: float
    queue_interactive_s: float
    queue_background_s: float


class RouterSettings(BaseSettings):
    """Every field is the variable FITSENSE_ROUTER_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="FITSENSE_ROUTER_", frozen=True, extra="ignore")

    environment: Environment = "dev"
    """Whose promoted models the aliases follow."""
    outbox: Path = Path("out/router-outbox")
    """Where interactions wait for the bus; a disk of this process's own."""
    api_keys: dict[str, str] = Field(default_factory=dict, repr=False)
    """Keys by name, as a JSON object; names that begin with `admin` are admins'."""
    push_audience: str = ""
    """What the bus's identity tokens are addressed to, where that is not the service's own audience."""
    backend_key: SecretStr = NO_KEY
    """What vLLM was started with as --api-key."""

    slots: int = Field(default=3, ge=1)
    """How many requests are with the model server at once: vLLM's --max-num-seqs."""
    queue: int = Field(default=9, ge=0)
    """How many wait. Three times the slots: whoever is let in waits for three answers at most."""
    user_most: int = Field(default=4, ge=1)
    """How many requests one user may have here, waiting or answered."""
    context_tokens: int = 4096
    """vLLM's --max-model-len."""
    output_tokens: int = 1024
    body_bytes: int = 1 << 20
    first_token_s: float = 30.0
    between_tokens_s: float = 10.0
    total_s: float = 120.0
    queue_interactive_s: float = 30.0
    queue_background_s: float = 300.0
    breaker_failures: int = 3
    breaker_pause_s: float = 1.0
    drain_s: float = Field(default=7.0, gt=0)
    """How long answers may go on after SIGTERM; Cloud Run kills ten seconds after it."""
    refresh_s: float = 5.0
    """How old the aliases in use may be."""
    usd_per_hour: float = Field(default=0.0, ge=0)
    """What the model server's machine costs."""

    teacher_url: str = ""
    """Where the teacher answers, without /v1; nothing where there is none."""
    teacher_model: str = ""
    teacher_key: SecretStr = NO_KEY

    @property
    def places(self) -> Places:
        """The room at a model server."""
        return Places(self.slots, self.queue, self.user_most)

    @property
    def patience(self) -> Patience:
        """When a model server is not asked any more."""
        return Patience(self.breaker_failures, self.breaker_pause_s)

    @property
    def limits(self) -> Limits:
        """What one request may take."""
        return Limits(**{name: getattr(self, name) for name in Limits.__slots__})
