"""Settings: what the agent is told by its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.events import Environment

NO_KEY = SecretStr("")


class AgentSettings(BaseSettings):
    """Every field is the variable FITSENSE_AGENT_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="FITSENSE_AGENT_", frozen=True, extra="ignore")

    environment: Environment = "dev"
    """Whose promotions this machine follows."""
    subscription: str = "vllm-vm"
    url: str = "http://127.0.0.1:8000"
    """Where vLLM answers the agent."""
    backend: str = ""
    """Where it answers the router; by default the same."""
    key: SecretStr = NO_KEY
    """vLLM's API key."""
    adapters: Path = Path("out/adapters")
    """Where adapters lie on this machine, a folder each version."""
    keep: int = Field(default=3, ge=1)
    """How many versions stay loaded: for a rollback in no time."""
    probe_s: float = Field(default=60.0, gt=0)
    """How long the golden prompt may take."""
    wait_s: float = Field(default=10.0, gt=0)
    """How long one pull waits; between two of them the agent looks whether vLLM still holds what it should."""
    lease_s: float = Field(default=60.0, gt=0)
    """Until when a message is this agent's, unless extended."""

    @property
    def backend_url(self) -> str:
        """What the router is told."""
        return (self.backend or self.url).rstrip("/")
