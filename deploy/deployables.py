"""Deployables: deploy/deployables.yaml as a model: what runs on Google Cloud, beside what topology.yaml says of events.

Terraform reads the file itself; here it is checked, and the local stacks' clock reads its schedules.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from deploy.topology import KebabName
from shared.events import Environment
from shared.frozen import Frozen

FILE = Path(__file__).with_name("deployables.yaml")

Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
Group = Annotated[str, Field(pattern=r"^[a-z]+$")]
Instances = tuple[Annotated[int, Field(ge=0, le=1000)], Annotated[int, Field(ge=1, le=1000)]]


class Known(Frozen):
    """A value that only Terraform knows, by its name there."""

    source: str = Field(alias="from", pattern=r"^[a-z_]+$")


class FunctionExtras(Frozen):
    """What a function has beside the limits that topology.yaml gives it."""

    settings: tuple[Group, ...] = ()
    roles: tuple[Annotated[str, Field(pattern=r"^roles/[a-z]+\.[A-Za-z.]+$")], ...] = ()
    """In the project, because Google gives them nowhere else."""
    acts_as: KebabName | None = None
    launches: bool = False
    """Whether it starts executions of the trainer."""
    watches: bool = False
    """Whether it asks how those stand."""
    writes_configs: bool = False


class DeployedService(Frozen):
    """A service on Cloud Run."""

    settings: tuple[Group, ...]
    paths: tuple[Annotated[str, Field(pattern=r"^/v1/[a-z0-9/._-]+$")], ...]
    """What the front door leads to it; none makes it unreachable from outside."""
    publishes: tuple[KebabName, ...]
    calls: tuple[KebabName, ...]
    memory_mb: Annotated[int, Field(ge=512, le=32_768)]
    concurrency: Annotated[int, Field(ge=1, le=1000)]
    timeout_s: Annotated[int, Field(ge=1, le=3600)]
    database_pool: Annotated[int, Field(ge=0, le=100)]
    instances: dict[Environment, Instances]
    """Least and most."""
    works_between_requests: bool = False

    @model_validator(mode="after")
    def _every_environment_has_instances(self) -> "DeployedService":
        if set(self.instances) != {"dev", "stage", "prod"}:
            raise ValueError(f"instances are told for {', '.join(self.instances)} alone")
        if wrong := [name for name, (least, most) in self.instances.items() if least > most]:
            raise ValueError(f"instances.{wrong[0]} has a least above its most")
        return self


class JobOrMachine(Frozen):
    """A Cloud Run job, or a machine."""

    settings: tuple[Group, ...]
    publishes: tuple[KebabName, ...]


class Schedule(Frozen):
    """What Cloud Scheduler publishes, and when, in UTC."""

    topic: KebabName
    cron: Annotated[str, Field(pattern=r"^\S+( \S+){4}$")]


class Deployables(Frozen):
    """Everything that runs on Google Cloud."""

    settings: dict[Group, dict[Variable, str | Known | dict[Literal["dev", "stage", "prod"], str]]]
    left_out: dict[Variable, str]
    """Fields that nothing on Google Cloud is told, and why."""
    secrets: dict[KebabName, dict[KebabName, Variable]]
    """By the secret's id: who reads it, and under what variable."""
    functions: dict[KebabName, FunctionExtras]
    services: dict[KebabName, DeployedService]
    jobs: dict[KebabName, JobOrMachine]
    machines: dict[KebabName, JobOrMachine]
    schedules: dict[KebabName, Schedule]

    @model_validator(mode="after")
    def _every_group_named_is_there(self) -> "Deployables":
        named = [(f"functions.{name}", one.settings) for name, one in self.functions.items()]
        named += [(f"services.{name}", one.settings) for name, one in self.services.items()]
        named += [(f"jobs.{name}", one.settings) for name, one in self.jobs.items()]
        named += [(f"machines.{name}", one.settings) for name, one in self.machines.items()]
        for place, groups in named:
            if missing := sorted(set(groups) - set(self.settings)):
                raise ValueError(f"{place} has the settings {missing[0]!r}, which settings does not list")
        return self


@cache
def deployables() -> Deployables:
    """Return what runs on Google Cloud."""
    return Deployables.model_validate(yaml.safe_load(FILE.read_text()))
