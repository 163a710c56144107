"""Stack: real vLLM with a toy base, the agent and the router, each a process of its own, on one directory.

What the dispatcher of `fitsense up` does with messages, `deliver` does here: promotions go to the agent's
subscription, what is served is pushed to the router, and interactions are kept for the test to look at.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.pushing import Push, send
from shared.artifacts import DirectoryStore
from shared.bus import event_in, message
from shared.documents import SqliteDocuments
from shared.event import Event
from shared.events import AiInteraction, ModelLoadFailed, ModelServed
from shared.identity import services
from shared.settings import Settings
from shared.spool import Spool, names, read
from tests.running_router import free_port
from tests.serving.toy import toy_base
from tests.serving.versions import promote, put_model, version

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "vllm-vm/.venv/bin/python"
START_S = 900.0
TOY = "toy"
KEY = "sk-serving"
VLLM_KEY = "sk-vllm-serving"


@dataclass
class Serving:
    """The processes, and what tests do with them."""

    out: Path
    router_port: int
    vllm_port: int
    agent_settings: dict[str, str]
    vllm: "subprocess.Popen[bytes]"
    interactions: list[AiInteraction] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = DirectoryStore(self.out)
        self.documents = SqliteDocuments(self.out / "documents.sqlite")
        self.spool = Spool(self.out / "bus")
        self._services = services(Settings(out=self.out, service="bus"))

    @property
    def router_url(self) -> str:
        return f"http://127.0.0.1:{self.router_port}"

    def plan_service(self) -> str:
        """Return the plan service's identity."""
        return services(Settings(out=self.out, service="plan")).sign("inference-router")

    def promote(self, number: int, percent: int = 100) -> str:
        """Put a version there, and promote it."""
        name = version(number)
        if not self.store.exists(f"models/{name}/manifest.json"):
            put_model(self.store, number)
        Spool(self.out / "bus" / "pull" / "vllm-vm").folder.mkdir(parents=True, exist_ok=True)
        self.send_to_agent(promote(self.documents, name, percent))
        return name

    def send_to_agent(self, event: Event) -> None:
        """Have an event in the agent's subscription."""
        waiting = Spool(self.out / "sent")
        waiting.send(message(event))
        for one in names(waiting.folder / "new"):
            os.replace(waiting.folder / "new" / one, self.out / "bus/pull/vllm-vm" / one)

    def deliver(self) -> None:
        """Take what was published to where it goes."""
        for name in names(self.out / "bus/new"):
            file = self.out / "bus/new" / name
            kept = read(file)
            event = event_in(kept.message)
            if isinstance(event, ModelServed):
                url = f"{self.router_url}/events/model-served"
                push = Push(url, "inference-router", "inference-router", kept.id, kept.published_s, 30)
                send(push, kept.message, self._services.sign("inference-router"))
            if isinstance(event, AiInteraction):
                self.interactions.append(event)
            elif isinstance(event, ModelServed | ModelLoadFailed):
                self.told.append(event)
            file.unlink()

    def until(self, true: Callable[[], bool], within_s: float = 600.0) -> None:
        """Deliver until something is so."""
        deadline = time.monotonic() + within_s
        while True:
            self.deliver()
            if true():
                return
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.05)

    def served(self) -> str:
        """Return the version that the router says is ready, or nothing."""
        status, body = get(self.router_port, "/readyz")
        return str(json.loads(body)["version"]) if status == 200 else ""

    def vllm_metric(self, name: str) -> float:
        """Return the sum of one of vLLM's metrics."""
        _, body = get(self.vllm_port, "/metrics")
        lines = [line for line in body.decode().splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@contextmanager
def serving(out: Path, base: str = TOY, **router: object) -> Iterator[Serving]:
    """Run all of it; vLLM takes a minute or more to start."""
    if base == TOY:
        toy_base(out / "models/base" / TOY)
    vllm_port, router_port = free_port(), free_port()
    here = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'vllm-vm'}",
        "FITSENSE_STACK": "embedded",
        "FITSENSE_OUT": str(out),
    }
    agent = {
        "FITSENSE_AGENT_URL": f"http://127.0.0.1:{vllm_port}",
        "FITSENSE_AGENT_KEY": VLLM_KEY,
        "FITSENSE_AGENT_ADAPTERS": str(out / "adapters"),
        "FITSENSE_AGENT_WAIT_S": "0.5",
        "FITSENSE_AGENT_PROBE_S": "600",
    }
    routing = {
        "FITSENSE_ROUTER_BACKEND_KEY": VLLM_KEY,
        "FITSENSE_ROUTER_API_KEYS": json.dumps({"test": KEY, "admin": f"{KEY}-admin"}),
        "FITSENSE_ROUTER_OUTBOX": str(out / "outbox"),
        **{f"FITSENSE_ROUTER_{name.upper()}": str(value) for name, value in router.items()},
    }
    with (
        process(out / "vllm.log", vllm_command(base, vllm_port), here | agent) as vllm,
        process(out / "router.log", ["-m", "services.inference_router", "--port", str(router_port)], here | routing),
        process(out / "agent.log", ["-m", "vllm_vm"], here | agent),
    ):
        running = Serving(out, router_port, vllm_port, here | agent, vllm)
        running.until(lambda: answers(vllm_port), START_S)
        running.until(lambda: answers(router_port, "/healthz"), START_S)
        yield running
        if running.vllm is not vllm:
            stop(running.vllm)


def vllm_command(base: str, port: int) -> list[str]:
    """Return how vLLM is started: as everywhere, by flags.yaml."""
    return ["-m", "vllm_vm", "serve", "cpu", "--base", base, "--port", str(port), "--python", str(PYTHON)]


def restart_vllm(running: Serving) -> None:
    """Start vLLM again on its port."""
    command = vllm_command(TOY, running.vllm_port)
    running.vllm = start(running.out / "vllm-again.log", command, running.agent_settings)
    running.until(lambda: answers(running.vllm_port), START_S)


def start(log: Path, arguments: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start a Python process in a session of its own, with its output in a file."""
    with log.open("ab") as told:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )


@contextmanager
def process(log: Path, arguments: list[str], environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process; it and all it started are gone afterwards."""
    log.parent.mkdir(parents=True, exist_ok=True)
    running = start(log, arguments, environment)
    try:
        yield running
    finally:
        stop(running)


def stop(running: "subprocess.Popen[bytes]") -> None:
    """End a process, and kill what is left of its session."""
    running.terminate()
    try:
        running.wait(30)
    except subprocess.TimeoutExpired:
        pass
    kill(running)


def kill(running: "subprocess.Popen[bytes]") -> None:
    """Kill a process and all it started."""
    try:
        os.killpg(running.pid, 9)
    except ProcessLookupError:
        pass
    running.wait(30)


def get(port: int, path: str) -> tuple[int, bytes]:
    """Return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def answers(port: int, path: str = "/health") -> bool:
    """Return whether a server is there."""
    try:
        return get(port, path)[0] == 200
    except OSError:
        return False
