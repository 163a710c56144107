"""Serving: the stack of `fitsense up --model` on the demo's directory, until the student answers."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from deploy.local.detached import start_detached, stop_detached
from shared.errors import Unavailable

READY_S: Final = 600.0
"""vLLM takes a minute to start on an idle machine, and several on a busy one."""
ASK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A stack on which a version answers."""

    url: str
    """Of the public services."""
    seconds: float
    """From the first program's start to the first answer that the student could give."""


@contextmanager
def served(out: Path, version: str, keep: bool) -> Iterator[Serving]:
    """Start the stack and wait for a version to be served; raises Unavailable where it is not. `keep` leaves it."""
    began, console = time.monotonic(), Console(stderr=True)
    kept = False
    try:
        with console.status("starting the programs"):
            state = start_detached("embedded", out, {"model": True})
        with console.status("vLLM starts, and the agent loads the adapter, checks it and asks it a golden prompt"):
            _wait(json.loads(state.environment["FITSENSE_SERVICE_URLS"])["inference-router"], version)
        yield Serving(state.environment["FITSENSE_URL"], time.monotonic() - began)
        kept = keep
    finally:
        if not kept:
            with console.status("stopping the programs"):
                stop_detached(out)


def _wait(router: str, version: str) -> None:
    deadline, said = time.monotonic() + READY_S, ""
    with httpx.Client(base_url=router, trust_env=False, timeout=10) as http:
        while time.monotonic() < deadline:
            try:
                response = http.get("/readyz")
                said = response.text
                if response.is_success and response.json().get("version") == version:
                    return
            except (httpx.TransportError, ValueError) as exc:
                said = type(exc).__name__
            time.sleep(ASK_EVERY_S)
    raise Unavailable(f"{version} is not served after {READY_S:.0f} s: the router says {said[:200]!r}")
