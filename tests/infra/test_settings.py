"""Every field of every settings class has a value in every environment, and every value has a field."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from settings_classes import settings_fields

from deploy.deployables import Deployables
from deploy.topology import topology

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "deploy" / "deployables.yaml").read_text())
ENVIRONMENTS = {"dev", "stage", "prod"}
FIELDS = settings_fields()
OTHERS = {"TEACHER_API_KEY"}
"""Variables that a run's config names, and no settings class."""


def grouped(file: dict[str, Any]) -> list[str]:
    return [name for group in file["settings"].values() for name in group]


def secrets(file: dict[str, Any]) -> set[str]:
    return {name for readers in file["secrets"].values() for name in readers.values()}


def without_a_value(file: dict[str, Any], fields: dict[str, bool]) -> list[str]:
    return sorted(set(fields) - set(grouped(file)) - secrets(file) - set(file["left_out"]))


def without_a_field(file: dict[str, Any], fields: dict[str, bool]) -> list[str]:
    return sorted({*grouped(file), *secrets(file), *file["left_out"]} - set(fields) - OTHERS)


def test_every_field_has_a_value_or_a_reason_to_have_none() -> None:
    assert without_a_value(FILE, FIELDS) == []


def test_every_value_has_a_field() -> None:
    assert without_a_field(FILE, FIELDS) == []


def test_a_field_stands_in_one_place() -> None:
    places = [*grouped(FILE), *secrets(FILE), *FILE["left_out"]]
    assert sorted({name for name in places if places.count(name) > 1}) == []


def test_what_is_secret_is_a_secret() -> None:
    hidden = {name for name, secret in FIELDS.items() if secret}
    assert sorted(hidden - secrets(FILE) - set(FILE["left_out"])) == []


def test_a_value_for_one_environment_is_one_for_all() -> None:
    halved = [
        name
        for group in FILE["settings"].values()
        for name, value in group.items()
        if isinstance(value, dict) and "from" not in value and set(value) != ENVIRONMENTS
    ]
    assert halved == []


BROKEN = {
    "services.plan.settings.0=nothing": "services.plan has the settings 'nothing', which settings does not list",
    "services.plan.instances.dev.0=9": "instances.dev has a least above its most",
    "services.plan.memory_gb=1": "Extra inputs are not permitted",
    "functions.train.roles.0=roles/owner": "String should match pattern",
    "schedules.monitor.cron=hourly": "String should match pattern",
}


@pytest.mark.parametrize(("change", "complaint"), BROKEN.items(), ids=BROKEN)
def test_a_file_that_is_wrong_is_refused_naming_what(change: str, complaint: str) -> None:
    assert Deployables.model_validate(FILE).schedules
    broken = json.loads(json.dumps(FILE))
    path, _, value = change.partition("=")
    *parents, last = path.split(".")
    inner: Any = broken
    for parent in parents:
        inner = inner[int(parent)] if isinstance(inner, list) else inner[parent]
    if isinstance(inner, list):
        inner[int(last)] = int(value) if value.isdecimal() else value
    else:
        inner[last] = value
    with pytest.raises(ValueError, match=complaint):
        Deployables.model_validate(broken)


def test_values_are_text_so_that_yaml_turns_none_into_another() -> None:
    values = [
        (name, one)
        for group in FILE["settings"].values()
        for name, value in group.items()
        for one in (value.values() if isinstance(value, dict) else [value])
    ]
    assert [name for name, one in values if not isinstance(one, str)] == []


def test_deployables_and_topology_know_each_other() -> None:
    graph = topology()
    assert set(FILE["functions"]) <= set(graph.functions)
    assert set(graph.services) <= set(FILE["services"])
    assert set(graph.pulls) == set(FILE["machines"])
    published = {
        topic for kind in ("services", "jobs", "machines") for one in FILE[kind].values() for topic in one["publishes"]
    }
    assert published <= set(graph.topics)
    for name, one in FILE["services"].items():
        assert set(one["calls"]) <= set(FILE["services"]), name
        assert one["timeout_s"] >= (graph.services[name].timeout_s if name in graph.services else 0), name


@pytest.mark.parametrize("variable", ["FITSENSE_LEASE_S", "FITSENSE_STACK", "FITSENSE_OUT"])
def test_a_value_that_is_removed_is_missed(variable: str) -> None:
    broken = json.loads(json.dumps(FILE))
    for group in (*broken["settings"].values(), broken["left_out"]):
        group.pop(variable, None)
    assert without_a_value(broken, FIELDS) == [variable]


def test_a_field_that_is_removed_is_noticed() -> None:
    fewer = {name: secret for name, secret in FIELDS.items() if name != "FITSENSE_LEASE_S"}
    assert without_a_field(FILE, fewer) == ["FITSENSE_LEASE_S"]
