"""Settings: what a process is told by its environment, and nothing else reads the environment."""

import os
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

Stack = Literal["embedded", "emulators", "gcp"]


class Settings(BaseSettings):
    """One per process; every field is the variable FITSENSE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="FITSENSE_", frozen=True, extra="ignore")

    stack: Stack = "embedded"
    out: Path = Path("out")
    """Embedded stack: the directory that stands for the buckets and the document database."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    teacher_share: int = 1
    """How many processes ask the teacher at once; each keeps to its share of the limits."""


def secret(name: str) -> str | None:
    """Return the environment variable that a config names as the place of a secret."""
    return os.environ.get(name)
