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
    service: str = ""
    """Services: the name this process is known by to other services, and by which its pushes are addressed."""
    database_host: str = "127.0.0.1"
    database_port: int = 5432
    database_name: str = "fitsense"
    database_user: str = ""
    """The service's own role, or its IAM user; by default fitsense_<service>."""
    database_password: str = Field(default="", repr=False)
    database_instance: str = ""
    """Cloud SQL: project:region:instance. Then host, port and password do not count."""
    database_pool: int = Field(default=4, ge=1, le=100)
    """Connections of this instance: instances x pool over all services stays below max_connections - 10."""
    database_wait_s: float = Field(default=5, gt=0)
    """How long a request waits for a connection, and a statement for its end, before the answer is 503."""
    keys: Path | None = None
    """Local stacks: the folder with the keys of users' and services' identities; by default OUT/keys."""
    signing_key: str = Field(default="", repr=False)
    """Cloud, profile only: the private key of users' access tokens, PEM; a secret."""
    users_url: str = ""
    """Where services fetch the public keys of access tokens: profile's /v1/auth/jwks.json."""
    profile_url: str = ""
    plan_url: str = ""
    logging_url: str = ""
    router_url: str = ""
    audience: str = ""
    """What identity tokens for this service are addressed to; by default the service's name."""
    service_accounts: str = ""
    """Cloud: e-mails of the accounts that may call internal endpoints and push, separated by commas."""
    cors_origins: str = ""
    """Origins whose pages may call this service from a browser, separated by commas."""
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    """How many proxies of ours stand in front and append to X-Forwarded-For."""
    rate_per_user: float = Field(default=50, gt=0)
    """Requests per second that one user may make of this instance, with twice that in a burst."""
    rate_per_address: float = Field(default=100, gt=0)
    body_bytes: int = Field(default=65_536, ge=1_024)
    """The largest request body."""
    traces_url: str = ""
    """Where spans are sent by OTLP over HTTP; none are made where it is empty."""
    model_first_words_s: float = Field(default=20, gt=0)
    """Plan: how long a model may take to its first words, between words, and in total."""
    model_between_words_s: float = Field(default=10, gt=0)
    model_total_s: float = Field(default=90, gt=0)
    interactions_kept_days: int = Field(default=90, ge=1, le=3650)
    """Logging: how long what users and models said to each other is kept."""

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
    batch_network: str = ""
    """projects/PROJECT/global/networks/NAME: where Batch's machines are; empty is the project's default network."""
    batch_subnetwork: str = ""
    """projects/PROJECT/regions/REGION/subnetworks/NAME, in that network."""
    monitor_patience_s: float = Field(default=1800, ge=0)
    """How long a run, a dead letter, a lost end of a training or a promotion may stand still before it is told of."""
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
