"""Machine: a directory that stands for the model server's machine, and a server for what it asks of Google."""

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "vllm-vm/startup.sh"
SECRET = "sk-very-secret"
TOKEN = "ya29.token"
ADDRESS = "10.10.0.7"
ATTRIBUTES = "instance/attributes/"
READ = 'case "$*" in *stdin*) cat > /dev/null ;; esac'
PROGRAMS = ("docker", "systemctl", "nvidia-smi", "nvidia-ctk")


class Google(ThreadingHTTPServer):
    """The metadata server, with these attributes, and Secret Manager, with these secrets."""

    def __init__(self, attributes: Mapping[str, str], secrets: frozenset[str]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.attributes = attributes
        self.secrets = secrets
        self.asked: list[str] = []
        """What was asked of the metadata server, in order."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    """One request to either."""

    server: Google

    def do_GET(self) -> None:
        if self.path.startswith("/v1/"):
            self._secret(self.path.removeprefix("/v1/"))
        else:
            assert self.headers["Metadata-Flavor"] == "Google"
            self._metadata(self.path.removeprefix("/computeMetadata/v1/"))

    def _secret(self, path: str) -> None:
        good = self.headers["Authorization"] == f"Bearer {TOKEN}"
        there = path in {f"{name}/versions/latest:access" for name in self.server.secrets}
        payload = {"payload": {"data": base64.b64encode(f"{SECRET}\n".encode()).decode()}}
        self._answer(json.dumps(payload) if good and there else None)

    def _metadata(self, path: str) -> None:
        self.server.asked.append(path)
        found = {
            "instance/service-accounts/default/token": json.dumps({"access_token": TOKEN}),
            "instance/network-interfaces/0/ip": ADDRESS,
        } | {ATTRIBUTES + name: value for name, value in self.server.attributes.items()}
        self._answer(found.get(path))

    def _answer(self, body: str | None) -> None:
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_: object) -> None:
        pass


class Machine:
    """A directory with the programs that the start-up script calls, which note that they were called."""

    def __init__(self, root: Path, google: Google) -> None:
        self.root = root
        self.google = google
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
            "FITSENSE_METADATA": f"{google.url}/computeMetadata/v1",
            "FITSENSE_SECRETS": f"{google.url}/v1",
        }

    def boot(self) -> str:
        """Run the script; return everything it said."""
        done = self.try_to_boot()
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def try_to_boot(self) -> "subprocess.CompletedProcess[str]":
        """Run the script, which may fail."""
        self._calls.write_text("")
        command = ["bash", str(SCRIPT)]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120, check=False)

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()

    def file(self, name: str) -> str:
        return (self.root / name).read_text()


@contextmanager
def machine_told(root: Path, attributes: Mapping[str, str], secrets: frozenset[str]) -> Iterator[Machine]:
    """Return a machine with this metadata, in a project with these secrets."""
    google = Google(attributes, secrets)
    thread = threading.Thread(target=google.serve_forever, daemon=True)
    thread.start()
    try:
        yield Machine(root, google)
    finally:
        google.shutdown()
        google.server_close()
        thread.join(10)
