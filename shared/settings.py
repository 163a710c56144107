"""Settings: what a process is told by its environment, and nothing else reads the environment.

Where Google's services are is told by Google's own variables (`STORAGE_EMULATOR_HOST` and the like, or
none in the cloud), which its client libraries read themselves.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Stack = Literal["embedded", "emulators", "gcp"]


class Settings(BaseSettings):
    """One per process; every field is the variable FITSENSE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="FITSENSE_", frozen=True, extra="ignore")

    stack: Stack = "embedded"
    out: Path = Path("out")
    """Embedded stack: the directory that stands for the buckets and the document database."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    service_urls: dict[str, str] = Field(default_factory=dict)
    """Embedded stack: where the services that topics are pushed to run, by name, as a JSON object."""
    job: str | None = None
    """Inside a training job: its name."""
    trainer_command: tuple[str, ...] = ()
    """What begins the command line of a training job on this machine, as a JSON list; by default the trainer's own."""
    git_commit: str | None = None
    """Inside an image: the commit that it was built from."""
    teacher_share: int = 1
    """How many processes ask the teacher at once; each keeps to its share of the limits."""

    project: str = "fitsense-local"
    """Google stacks: the project of the topics and the document database."""
    artifact_bucket: str = "fitsense-artifacts"
    config_bucket: str = "fitsense-configs"
    region: str = "europe-west4"
    jobs_host: str | None = None
    """HOST:PORT of a server that stands for Cloud Run and Batch; None is Google's."""
    trainer_job: str = "trainer"
    """The Cloud Run job that trainings are executions of."""
    trainer_image: str = "trainer"
    """The image that Batch runs."""
    trainer_service_account: str = ""
    batch_machine_type: str = "g2-standard-8"
    batch_accelerator: str = "nvidia-l4"
    lease_s: float = Field(default=20, gt=0)
    """How long a delivery's lease lasts if its holder does not renew it, because it died."""
    ack_deadline_s: float = Field(default=600, gt=0)
    """How long a push request may take before the message is delivered again."""


def secret(name: str) -> str | None:
    """Return the environment variable that a config names as the place of a secret."""
    return os.environ.get(name)


def environment() -> dict[str, str]:
    """Return this process's environment, for a process that it starts to begin with."""
    return dict(os.environ)


def adopt(variables: Mapping[str, str]) -> None:
    """Have these in this process's environment: how the command line joins a stack that runs on this machine."""
    os.environ.update(variables)
