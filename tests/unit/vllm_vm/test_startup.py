"""startup.sh on a machine that is a directory: what it leaves, that it may run again, and that it keeps secrets."""

import base64
import json
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "vllm-vm/startup.sh"
SECRET = "sk-very-secret"
TOKEN = "ya29.token"
READ = 'case "$*" in *stdin*) cat > /dev/null ;; esac'
PROGRAMS = ("docker", "systemctl", "nvidia-smi", "nvidia-ctk")


class Google(BaseHTTPRequestHandler):
    """The metadata server and Secret Manager."""

    def do_GET(self) -> None:
        if self.path.startswith("/secrets/"):
            good = self.headers["Authorization"] == f"Bearer {TOKEN}"
            payload = {"payload": {"data": base64.b64encode(f"{SECRET}\n".encode()).decode()}}
            self.answer(json.dumps(payload) if good else None)
            return
        assert self.headers["Metadata-Flavor"] == "Google"
        attributes = "/computeMetadata/v1/instance/attributes/"
        found = {
            "/computeMetadata/v1/instance/service-accounts/default/token": json.dumps({"access_token": TOKEN}),
            attributes + "fitsense-image": "europe-docker.pkg.dev/p/fitsense/vllm-vm@sha256:abc",
            attributes + "fitsense-variables": "FITSENSE_STACK=gcp\nFITSENSE_AGENT_ENVIRONMENT=dev",
            attributes + "fitsense-secrets": "FITSENSE_AGENT_KEY=projects/p/secrets/vllm-api-key",
        }
        self.answer(found.get(self.path))

    def answer(self, body: str | None) -> None:
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_: object) -> None:
        pass


class Machine:
    """A directory that stands for a machine."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self._calls = root / "calls"
        programs = root / "bin"
        programs.mkdir(parents=True)
        for name in PROGRAMS:
            program = programs / name
            program.write_text(f'#!/bin/sh\necho {name} "$@" >> {self._calls}\n{READ}\n')
            program.chmod(0o755)
        (root / "opt/google-cloud-ops-agent").mkdir(parents=True)
        self._environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "FITSENSE_ROOT": str(root),
            "FITSENSE_OWNER": str(os.getuid()),
            "FITSENSE_METADATA": f"http://127.0.0.1:{port}/computeMetadata/v1",
            "FITSENSE_SECRETS": f"http://127.0.0.1:{port}/secrets",
        }

    def boot(self) -> str:
        """Run the script; return everything it said."""
        self._calls.write_text("")
        done = subprocess.run(
            ["bash", str(SCRIPT)], env=self._environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Google)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Machine(tmp_path, server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join(10)


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
    machine._environment["FITSENSE_SECRETS"] = machine._environment["FITSENSE_METADATA"] + "/nothing"
    done = subprocess.run(["bash", str(SCRIPT)], env=machine._environment, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert not [call for call in machine.calls if "start vllm" in call]
