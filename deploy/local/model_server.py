"""Model server: real vLLM on this machine's processor, and its agent, as programs of a local stack.

vLLM waits until something is promoted, then starts on that base; so a stack is up before there is a model. Its
key is made for each directory, and the router and the agent are told it.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.ports import HOST, Ports
from deploy.local.processes import Program, nothing
from deploy.local.state import folder
from shared.errors import Unavailable

ROOT: Final = Path(__file__).parents[2]
PYTHON: Final = ROOT / "vllm-vm/.venv/bin/python"
IMPORT_ROOT: Final = ROOT / "vllm-vm"
WAIT_S: Final = "2"
PROBE_S: Final = "120"
"""A machine that trains and serves at once is slow."""


class LocalModel:
    """The model server of a stack: where it is, and what it is started with."""

    def __init__(self, ports: Ports, out: Path) -> None:
        if not PYTHON.exists():
            raise Unavailable("vLLM is not installed here: make setup-vllm")
        self.url = f"http://{HOST}:{ports.reserve()}"
        self._out = out
        self._key = _key(folder(out) / "vllm-key")

    def router_environment(self) -> dict[str, str]:
        """Return what the router has to know of it."""
        return {"FITSENSE_ROUTER_BACKEND_KEY": self._key}

    def programs(self, clients: Mapping[str, str], python_path: str, command: tuple[str, ...]) -> list[Program]:
        """Return the programs; `command` runs `python -m vllm_vm`."""
        told = dict(clients) | {
            "PYTHONPATH": f"{python_path}:{IMPORT_ROOT}",
            "FITSENSE_OUT": str(self._out),
            "FITSENSE_AGENT_URL": self.url,
            "FITSENSE_AGENT_KEY": self._key,
            "FITSENSE_AGENT_ADAPTERS": str(folder(self._out) / "model-server" / "adapters"),
            "FITSENSE_AGENT_WAIT_S": WAIT_S,
            "FITSENSE_AGENT_PROBE_S": PROBE_S,
        }
        port = self.url.rpartition(":")[2]
        serve = ("serve", "cpu", "--host", HOST, "--port", port, "--python", str(PYTHON))
        return [
            # Neither is waited for: vLLM has nothing to serve before the first promotion.
            Program(name="vllm", command=(*command, *serve), port=int(port), ready=nothing, environment=told),
            Program(
                name="vllm-agent",
                command=command,
                port=None,
                ready=nothing,
                environment=told,
                sources=("vllm_vm.__main__",),
            ),
        ]


def _key(file: Path) -> str:
    """Return the key in a file that only this user reads, made where there is none."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text()
