"""Planned: what Terraform would make, as tests look at it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Values = dict[str, Any]
IMAGES = ("function", "trainer", "migrate", "vllm-vm", "profile", "plan", "logging", "inference-router")
GIVEN = "-var=images={" + ",".join(f'{name}="{name}@sha256:0"' for name in IMAGES) + "}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a plan, with the values that are known before it is made."""

    address: str
    type: str
    values: Values
    unknown: Values


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan of one environment."""

    environment: str
    resources: tuple[Resource, ...]
    variables: Values

    @classmethod
    def of(cls, environment: str, plan: Values) -> "Planned":
        """Read Terraform's JSON."""
        made = tuple(
            Resource(one["address"], one["type"], one["change"]["after"], one["change"]["after_unknown"])
            for one in plan["resource_changes"]
            if one["mode"] == "managed"
        )
        return cls(environment, made, {name: one["value"] for name, one in plan["variables"].items()})

    def all(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of some types."""
        return (one for one in self.resources if one.type in types)

    def by_name(self, type_: str) -> dict[str, Resource]:
        """Return the resources of a type by their names."""
        return {one.values["name"]: one for one in self.all(type_)}

    def members(self) -> Iterator[tuple[Resource, str, str]]:
        """Yield who is granted what: the resource, the role, the member."""
        for one in self.resources:
            if one.type.endswith("_iam_member"):
                yield one, one.values["role"], one.values.get("member") or ""


Plans = Callable[[str, Path], Planned]
"""Plans an environment of a copy of the configuration."""


def one_of(block: list[Values] | None) -> Values:
    """Return the one block there is, or an empty one."""
    return block[0] if block else {}


def variables_of(container: Values) -> dict[str, Values]:
    """Return a container's environment by variable."""
    return {one["name"]: one for one in container.get("env") or ()}
