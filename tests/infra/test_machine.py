"""The model server's start-up script, run on the metadata that Terraform plans: both speak of the same names."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from planned import Planned
from settings_classes import settings_fields

from tests.machine import ATTRIBUTES, SCRIPT, Machine, machine_told

pytestmark = pytest.mark.slow

DEPLOYABLES = yaml.safe_load((Path(__file__).parents[2] / "deploy" / "deployables.yaml").read_text())
GOOGLES = {"enable-oslogin", "block-project-ssh-keys", "serial-port-enable", "startup-script"}
"""Metadata that Google's own programs on the machine read."""


def metadata(planned: Planned) -> dict[str, str]:
    (template,) = planned.all("google_compute_instance_template")
    found: dict[str, str] = template.values["metadata"]
    return found


@pytest.fixture
def machine(planned: Planned, tmp_path: Path) -> Iterator[Machine]:
    secrets = frozenset(
        f"projects/{planned.variables['project']}/secrets/{one.values['secret_id']}"
        for one in planned.all("google_secret_manager_secret")
    )
    with machine_told(tmp_path, metadata(planned), secrets) as made:
        yield made


def test_the_script_reads_what_terraform_sets_and_terraform_sets_nothing_else(planned: Planned) -> None:
    read = set(re.findall(rf"{ATTRIBUTES}([a-z-]+)", SCRIPT.read_text()))
    assert read == set(metadata(planned)) - GOOGLES


def test_the_script_that_terraform_gives_the_machine_is_ours(planned: Planned) -> None:
    assert metadata(planned)["startup-script"] == SCRIPT.read_text()


def test_a_machine_boots_on_what_is_planned(machine: Machine) -> None:
    machine.boot()
    told = dict(line.split("=", 1) for line in machine.file("etc/fitsense/variables.env").splitlines())
    secret = dict(line.split("=", 1) for line in machine.file("run/fitsense/secrets.env").splitlines())
    wanted = {
        name for group in DEPLOYABLES["machines"]["vllm-vm"]["settings"] for name in DEPLOYABLES["settings"][group]
    }
    assert set(told) == wanted | {"FITSENSE_AGENT_BACKEND"}
    assert set(secret) == {one["vllm-vm"] for one in DEPLOYABLES["secrets"].values() if "vllm-vm" in one}
    assert {*told, *secret} <= set(settings_fields())
    assert machine.file("etc/fitsense/image.env") == f"FITSENSE_IMAGE={machine.google.attributes['fitsense-image']}\n"
    assert any("systemctl restart vllm.service" in call for call in machine.calls)
