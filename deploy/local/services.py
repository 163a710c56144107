"""Services: the Flask services, the router and the gateway, as programs of a local stack.

Granian serves each with one worker: a process is an instance, and its threads are as many as requests may wait
for the database or a model at once.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from deploy.local.gateway import ROUTES
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Program
from deploy.local.readiness import answers

THREADS: Final = {"profile": 8, "logging": 4, "plan": 64}
"""A stream of the plan service holds a thread as long as it lasts, and a login of profile while others are hashed.
Logging's wait for the database alone: more threads than keep it busy only wait for each other, some of them long."""
ROUTER: Final = "inference-router"

Command = Callable[..., tuple[str, ...]]
"""Makes the command line of a module with its arguments."""


class LocalServices:
    """The services of a stack: where each is, and what it is started with."""

    def __init__(self, ports: Ports, public_port: int | None) -> None:
        self._ports = {name: ports.reserve() for name in (*ROUTES, ROUTER)}
        self.gateway_port = ports.reserve(public_port or 0)
        self.public_url = f"http://{HOST}:{self.gateway_port}"

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of each service, which topics are pushed to."""
        return self._ports

    def urls(self) -> dict[str, str]:
        """Return the URL of each service."""
        return {name: f"http://{HOST}:{port}" for name, port in self._ports.items()}

    def client_environment(self) -> dict[str, str]:
        """Return the variables by which clients and the dispatcher find the services."""
        return {"FITSENSE_URL": self.public_url, "FITSENSE_SERVICE_URLS": json.dumps(self.urls())}

    def programs(
        self,
        clients: Mapping[str, str],
        out: Path,
        database_port: int,
        command: Command,
        routing: Mapping[str, str] | None = None,
    ) -> list[Program]:
        """Return the programs; `clients` are the variables by which the stack's stores and bus are found.

        `routing` is what the router alone is told.
        """
        urls = self.urls()
        told = dict(clients) | {
            "FITSENSE_OUT": str(out),
            "FITSENSE_DATABASE_HOST": HOST,
            "FITSENSE_DATABASE_PORT": str(database_port),
            "FITSENSE_PROFILE_URL": urls["profile"],
            "FITSENSE_PLAN_URL": urls["plan"],
            "FITSENSE_LOGGING_URL": urls["logging"],
            "FITSENSE_ROUTER_URL": urls[ROUTER],
            "FITSENSE_USERS_URL": f"{urls['profile']}/v1/auth/jwks.json",
            "FITSENSE_TRUSTED_PROXIES": "1",
            "FITSENSE_ROUTER_OUTBOX": str(out / ".stack" / "router-outbox"),
        }
        made = [self._service(name, told, command) for name in ROUTES]
        return [*made, self._router(told | dict(routing or {}), command), self._gateway(urls, command)]

    def _service(self, name: str, told: dict[str, str], command: Command) -> Program:
        port = self._ports[name]
        return Program(
            name=f"services:{name}",
            command=command("granian", *granian_options(name, port), f"services.{name}.app:from_env"),
            port=port,
            ready=partial(answers, port, "/readyz", 200),
            environment=told | {"FITSENSE_SERVICE": name},
            sources=(f"services.{name}.app",),
        )

    def _router(self, told: dict[str, str], command: Command) -> Program:
        port = self._ports[ROUTER]
        return Program(
            name=f"services:{ROUTER}",
            command=command("services.inference_router", "--host", HOST, "--port", str(port)),
            port=port,
            ready=partial(answers, port, "/healthz", 200),
            environment=told | {"FITSENSE_SERVICE": ROUTER},
            sources=("services.inference_router.__main__",),
        )

    def _gateway(self, urls: Mapping[str, str], command: Command) -> Program:
        backends = [part for name in ROUTES for part in ("--service", f"{name}={urls[name]}")]
        return Program(
            name="gateway",
            command=command("deploy.local.gateway", "--port", str(self.gateway_port), *backends),
            port=self.gateway_port,
            ready=partial(answers, self.gateway_port),
            sources=("deploy.local.gateway",),
        )


def granian_options(name: str, port: int) -> tuple[str, ...]:
    """Return how granian is to serve a service: one worker, no log of its own for every request."""
    return (
        "--interface=wsgi",
        "--factory",
        f"--host={HOST}",
        f"--port={port}",
        "--workers=1",
        f"--blocking-threads={THREADS[name]}",
        "--no-ws",
        "--log-level=warning",
        "--workers-kill-timeout=5",
    )
