"""startup.sh on a machine that is a directory: what it leaves, that it may run again, and that it keeps secrets."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import ADDRESS, SECRET, TOKEN, Machine, machine_told

KEY = "projects/p/secrets/vllm-api-key"
ATTRIBUTES = {
    "fitsense-image": "europe-docker.pkg.dev/p/fitsense/vllm-vm@sha256:abc",
    "fitsense-variables": "FITSENSE_STACK=gcp\nFITSENSE_AGENT_ENVIRONMENT=dev",
    "fitsense-secrets": f"FITSENSE_AGENT_KEY={KEY}",
}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with machine_told(tmp_path, ATTRIBUTES, frozenset({KEY})) as made:
        yield made


def test_the_router_is_told_of_the_machines_own_address(machine: Machine) -> None:
    machine.boot()
    told = machine.file("etc/fitsense/variables.env").splitlines()
    assert told == [*ATTRIBUTES["fitsense-variables"].splitlines(), f"FITSENSE_AGENT_BACKEND=http://{ADDRESS}:8000"]


def test_it_leaves_two_units_that_are_started_again_whenever_they_end(machine: Machine) -> None:
    machine.boot()
    for name, what in (("vllm", "serve gpu --host 0.0.0.0 --port 8000"), ("vllm-agent", "${FITSENSE_IMAGE}\n")):
        unit = (machine.root / f"etc/systemd/system/{name}.service").read_text()
        assert "Restart=always" in unit
        assert what in unit
    assert "systemctl restart vllm.service vllm-agent.service" in machine.calls
    assert any(call.startswith("docker pull") and "@sha256:abc" in call for call in machine.calls)


def test_a_second_run_changes_nothing_and_restarts_nothing(machine: Machine) -> None:
    machine.boot()
    before = {path: path.stat().st_mtime_ns for path in machine.root.rglob("*") if path.is_file()}
    machine.boot()
    after = {path: path.stat().st_mtime_ns for path in machine.root.rglob("*") if path.is_file()}
    changed = {path.name for path in before if before[path] != after.get(path)} | {
        p.name for p in after.keys() - before
    }
    assert changed == {"calls"}
    assert not [call for call in machine.calls if "restart" in call or "pull" in call]
    assert "systemctl start vllm.service vllm-agent.service" in machine.calls


def test_secrets_are_in_one_file_that_only_root_reads_and_in_no_log(machine: Machine) -> None:
    said = machine.boot()
    secrets = machine.root / "run/fitsense/secrets.env"
    assert secrets.read_text() == f"FITSENSE_AGENT_KEY={SECRET}\n"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    everything = said + "".join(machine.calls)
    everything += "".join(p.read_text() for p in machine.root.rglob("*") if p.is_file() and p != secrets)
    assert SECRET not in everything
    assert TOKEN not in everything


def test_a_secret_that_cannot_be_had_stops_it_before_anything_is_started(machine: Machine) -> None:
    machine.google.secrets = frozenset()
    assert machine.try_to_boot().returncode != 0
    assert not [call for call in machine.calls if "start vllm" in call]
