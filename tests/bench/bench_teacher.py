"""Teacher bench: 800 prompts, an endpoint that takes 500 ms, 64 requests in flight.

    python -m tests.bench.bench_teacher             the table; about two minutes
    python -m tests.bench.bench_teacher --quick     only ours, without the baselines

Seconds are the server's, two figures for each client: from the first to the last answer, which is what the
goals are about, and from the first request to the last answer, which is half a second more. The ideal of the
goals is 800 / 64 * 0.5 s = 6.25 s; no client can send 800 requests through 64 slots in less than 13 rounds, so
the floor of the second figure is 6.5 s. Baselines are run in the same way, one process each.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from functions.teacher.asks import Ask
from functions.teacher.cache import StoredCache
from functions.teacher.endpoint import EndpointTeacher
from shared.artifacts import DirectoryStore
from shared.prompt import Prompt
from shared.run_config import OpenAICompatibleTeacher
from tests.openai_server import openai_process

PROMPTS = 800
CONCURRENCY = 64
DELAY_S = 0.5
IDEAL_S = PROMPTS / CONCURRENCY * DELAY_S
FLOOR_S = -(-PROMPTS // CONCURRENCY) * DELAY_S
MOST_S = 6.6
MOST_WITH_FAULTS_S = 11.0
MOST_CALLS_AFTER_A_KILL = PROMPTS + CONCURRENCY
WORDS = "An ordinary message of an ordinary length about training, with a plan and a log in it. " * 25


def prompts(first: int, count: int) -> list[Ask]:
    """Return asks of about 550 tokens that differ from each other."""
    asks = range(first, first + count)
    return [Ask(f"q{n}", Prompt("You are a coach.", f"{WORDS}\nMessage {n}"), "plan_creation") for n in asks]


def ask(arguments: argparse.Namespace) -> None:
    """Ask a process's part of the prompts, in as many threads as it has shards."""
    settings = OpenAICompatibleTeacher(
        provider="openai_compatible", base_url=arguments.base_url, model="bench", concurrency=CONCURRENCY
    )
    cache = StoredCache(DirectoryStore(Path(arguments.cache)), "run")
    part = arguments.count // arguments.shards
    asks = [prompts(arguments.first + shard * part, part) for shard in range(arguments.shards)]
    teachers = [EndpointTeacher(settings, "sk-bench", cache, share=arguments.share) for _ in asks]
    replies: list[Any] = []
    threads = [
        threading.Thread(target=lambda t=t, a=a: replies.extend(t.ask_all(a)))
        for t, a in zip(teachers, asks, strict=True)
    ]
    wait_for_start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(reply.text != "" for reply in replies) == arguments.count


def ask_plainly(arguments: argparse.Namespace) -> None:
    """Ask with aiohttp, gather and a semaphore, and nothing else."""
    import aiohttp

    async def one(session: aiohttp.ClientSession, slots: asyncio.Semaphore, body: dict[str, object]) -> str:
        async with slots, session.post(f"{arguments.base_url}/chat/completions", json=body) as response:
            return str((await response.json())["choices"][0]["message"]["content"])

    async def everything() -> None:
        slots = asyncio.Semaphore(CONCURRENCY)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(one(session, slots, body) for body in plain_bodies(arguments)))

    wait_for_start()
    asyncio.run(everything())


def ask_with_httpx(arguments: argparse.Namespace) -> None:
    """Ask with httpx, gather and a semaphore, and nothing else."""
    import httpx

    async def one(client: httpx.AsyncClient, slots: asyncio.Semaphore, body: dict[str, object]) -> str:
        async with slots:
            response = await client.post(f"{arguments.base_url}/chat/completions", json=body)
            return str(response.json()["choices"][0]["message"]["content"])

    async def everything() -> None:
        slots = asyncio.Semaphore(CONCURRENCY)
        limits = httpx.Limits(max_connections=CONCURRENCY)
        async with httpx.AsyncClient(timeout=60, limits=limits) as client:
            await asyncio.gather(*(one(client, slots, body) for body in plain_bodies(arguments)))

    wait_for_start()
    asyncio.run(everything())


def plain_bodies(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Return request bodies without a response format."""
    return [
        {"model": "bench", "max_tokens": 1024, "messages": [{"role": "user", "content": ask.prompt.user}]}
        for ask in prompts(arguments.first, arguments.count)
    ]


def wait_for_start() -> None:
    """Return when the bench says so: what it takes to start an interpreter is not measured here."""
    print("ready", flush=True)
    sys.stdin.readline()


CLIENTS = {"ask": ask, "plain-aiohttp": ask_plainly, "plain-httpx": ask_with_httpx}


def client(base_url: str, cache: str, kind: str, processes: int, shards: int) -> list[subprocess.Popen[str]]:
    """Start client processes, and let them go together."""
    count = PROMPTS // processes
    started = []
    for process in range(processes):
        options = {
            "base-url": base_url,
            "cache": cache,
            "first": process * count,
            "count": count,
            "shards": shards,
            "share": processes,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        command = [sys.executable, "-m", "tests.bench.bench_teacher", kind, *words]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    for running in started:
        assert running.stdout
        assert running.stdout.readline() == "ready\n"
    for running in started:
        assert running.stdin
        running.stdin.write("go\n")
        running.stdin.flush()
    return started


def finish(running: Sequence[subprocess.Popen[str]]) -> None:
    """Wait for clients, and fail if one failed."""
    for process in running:
        process.communicate()
        if process.returncode:
            raise SystemExit(f"a client ended with {process.returncode}")


def seen(base_url: str) -> dict[str, Any]:
    """Return what the server saw so far."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/seen") as response:
        found: dict[str, Any] = json.load(response)
    return found


def measure(label: str, most_s: float, kind: str, processes: int = 1, shards: int = 1, faults: bool = False) -> bool:
    """Print a line of the table; return whether it is within its limit."""
    misbehave = ["--throttle-every=20", "--fail-every=50"] if faults else []
    with ExitStack() as stack:
        base_url = stack.enter_context(openai_process(f"--delay-s={DELAY_S}", *misbehave))
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        finish(client(base_url, cache, kind, processes, shards))
        told = seen(base_url)
    seconds, whole = (told["last_sent_s"] - told[since] for since in ("first_sent_s", "first_received_s"))
    good = seconds <= most_s and told["answered"] == PROMPTS and told["max_in_flight"] <= CONCURRENCY
    verdict = "" if kind != "ask" else "ok" if good else "MISSED"
    figures = f"{seconds:7.2f} {seconds / IDEAL_S:7.3f} {whole:8.2f} {whole / FLOOR_S:7.3f}"
    counts = f"{told['calls']:6} {told['answered']:9} {told['max_in_flight']:10}"
    print(f"{label:32} {figures} {counts}   {verdict}", flush=True)
    return good or kind != "ask"


def kill_in_the_middle(after_s: float) -> bool:
    """Kill the client half way, ask again with the same cache, and count calls."""
    with ExitStack() as stack:
        base_url = stack.enter_context(openai_process(f"--delay-s={DELAY_S}"))
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        running = client(base_url, cache, "ask", 1, 1)
        while not seen(base_url)["calls"]:
            time.sleep(0.02)
        time.sleep(after_s)
        running[0].kill()
        running[0].communicate()
        before = seen(base_url)["calls"]
        finish(client(base_url, cache, "ask", 1, 1))
        calls = seen(base_url)["calls"]
    good = calls <= MOST_CALLS_AFTER_A_KILL and 0 < before < PROMPTS
    print(
        f"kill -9 after {before} calls, then again: {calls} calls in all"
        f" (at most {MOST_CALLS_AFTER_A_KILL}) {'ok' if good else 'MISSED'}"
    )
    return good


def table(quick: bool) -> int:
    """Print the table; return 1 if a limit is missed."""
    figures = f"{'answers':>7} {'/ideal':>7} {'requests':>8} {'/floor':>7}"
    print(f"{'':32} {figures} {'calls':>6} {'answered':>9} {'in flight':>10}")
    good = [
        measure("ours, 1 process, 1 shard", MOST_S, "ask"),
        measure("ours, 1 process, 4 shards", MOST_S, "ask", shards=4),
        measure("ours, 2 processes x 2 shards", MOST_S, "ask", processes=2, shards=2),
        measure("ours, 5 % 429 and 2 % 500", MOST_WITH_FAULTS_S, "ask", faults=True),
    ]
    if not quick:
        measure("aiohttp, gather and semaphore", MOST_S, "plain-aiohttp")
        measure("httpx, gather and semaphore", MOST_S, "plain-httpx")
    good.append(kill_in_the_middle(after_s=3.1))
    return 0 if all(good) else 1


def main() -> None:
    """Run the bench, or one of its clients."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", nargs="?", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true")
    for name, kind in {
        "base-url": str,
        "cache": str,
        "first": int,
        "count": int,
        "shards": int,
        "share": int,
    }.items():
        parser.add_argument(f"--{name}", type=kind, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        CLIENTS[arguments.client](arguments)
    else:
        raise SystemExit(table(arguments.quick))


if __name__ == "__main__":
    main()
