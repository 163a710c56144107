"""Router bench: what the router costs, beside a bare pass-through and the LiteLLM proxy, before the same upstream.

    python -m tests.bench.bench_router                everything; some minutes, and LiteLLM is installed at first
    python -m tests.bench.bench_router --quick        the router and the bare pass-through only

The upstream takes next to no processor and runs in a process of its own; so does the client. Each proxy is one
process with keep-alive. The router has everything on: keys, admission, limits with a real tokenizer, interactions
written to its outbox and published to a spool, metrics.

CPU is the proxy's own, user and system, children included, divided by requests: on a machine that others use it is
the figure that holds. Latencies are what the client saw. Targets are of this project's issue on serving.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.router_place import KEY, furnish
from tests.running_router import free_port

ROOT = Path(__file__).parents[2]
LITELLM = ROOT / "out/bench/litellm"
LITELLM_VERSION = "1.108.7"
CONCURRENCIES = (1, 16, 64)
STREAMS = 10
PROMPT = "Plan my week, please. " * 40

MOST_JSON_CPU_MS = 1.0
MOST_STREAM_CPU_MS = 7.0
MOST_ADDED_MS = 1.2
MOST_ADDED_FIRST_MS = 2.5
MOST_OF_LITELLM = 0.1
MOST_MEMORY_MB = 120


@dataclass(frozen=True)
class Proxy:
    """A process to be measured."""

    name: str
    port: int
    process: psutil.Process | None

    def cpu_s(self) -> float:
        if self.process is None:
            return 0.0
        alive = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in alive)

    def memory_mb(self) -> float:
        if self.process is None:
            return 0.0
        alive = [self.process, *self.process.children(recursive=True)]
        return sum(one.memory_info().rss for one in alive) / 1e6


@dataclass
class Measured:
    """What a load showed."""

    cpu_ms: float
    p50_ms: float
    p99_ms: float
    first_p50_ms: float
    errors: int


def load(proxy: Proxy, requests: int, concurrency: int, stream: bool) -> Measured:
    """Send requests from a process of our own, and return what they took."""
    before = proxy.cpu_s()
    command = [sys.executable, "-m", "tests.bench.bench_router", "client", str(proxy.port)]
    command += [str(requests), str(concurrency), str(int(stream))]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT).stdout
    seen = json.loads(told)
    whole, first = sorted(seen["whole_ms"]), sorted(seen["first_ms"])
    return Measured(
        cpu_ms=(proxy.cpu_s() - before) / requests * 1000,
        p50_ms=statistics.median(whole),
        p99_ms=whole[min(len(whole) - 1, round(len(whole) * 0.99))],
        first_p50_ms=statistics.median(first),
        errors=seen["errors"],
    )


def client(port: int, requests: int, concurrency: int, stream: bool) -> None:
    """Send requests over so many connections; print what each took."""
    body = json.dumps({"model": "student", "messages": [{"role": "user", "content": PROMPT}], "stream": stream})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    whole: list[float] = []
    first: list[float] = []
    errors = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(requests // concurrency):
            began = time.perf_counter()
            connection.request("POST", "/v1/chat/completions", body, headers)
            response = connection.getresponse()
            start = response.read1(1)
            first.append((time.perf_counter() - began) * 1000)
            data = start + response.read()
            whole.append((time.perf_counter() - began) * 1000)
            good = b"[DONE]" in data if stream else b'"usage"' in data
            if response.status != 200 or not good:
                errors.append(data[:200])

    threads = [threading.Thread(target=ask) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        print(errors[0], file=sys.stderr)
    print(json.dumps({"whole_ms": whole, "first_ms": first, "errors": len(errors)}))


@contextmanager
def upstream() -> Iterator[int]:
    """Run the upstream; yields its port."""
    command = [sys.executable, "-m", "tests.bench.fast_upstream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def running(name: str, command: list[str], port: int, environment: dict[str, str]) -> Iterator[Proxy]:
    """Run a proxy; yields it once it answers."""
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(port, process)
            yield Proxy(name, port, psutil.Process(process.pid))
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes], within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit(f"nothing answers on port {port}")


def router(stack: ExitStack, upstream_port: int) -> Proxy:
    place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    environment = furnish(place, f"http://127.0.0.1:{upstream_port}")
    port = free_port()
    command = [sys.executable, "-m", "services.inference_router", "--port", str(port)]
    return stack.enter_context(running("router", command, port, environment))


def bare(stack: ExitStack, upstream_port: int) -> Proxy:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "64"]
    command += ["--no-ws", "tests.bench.pass_through:app"]
    return stack.enter_context(running("bare Flask", command, port, {"UPSTREAM_PORT": str(upstream_port)}))


def litellm(stack: ExitStack, upstream_port: int) -> Proxy:
    if not (LITELLM / "bin/litellm").exists():
        subprocess.run([sys.executable, "-m", "venv", str(LITELLM)], check=True)
        pip = [str(LITELLM / "bin/pip"), "install", "--quiet", f"litellm[proxy]=={LITELLM_VERSION}"]
        subprocess.run(pip, check=True)
    port = free_port()
    config = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "config.yaml"
    config.write_text(
        "model_list:\n  - model_name: student\n    litellm_params:\n"
        f"      model: openai/bench\n      api_base: http://127.0.0.1:{upstream_port}/v1\n      api_key: none\n"
        f"general_settings:\n  master_key: {KEY}\nlitellm_settings:\n  telemetry: false\n"
    )
    command = [str(LITELLM / "bin/litellm"), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    return stack.enter_context(running("LiteLLM", command, port, environment))


def measure(proxies: list[Callable[[ExitStack, int], Proxy]], requests: int) -> dict[str, dict[str, Measured]]:
    """Measure each proxy in turn, and the upstream itself."""
    found: dict[str, dict[str, Measured]] = {}
    print(f"{'':12} {'load':10} {'CPU ms':>8} {'p50 ms':>8} {'p99 ms':>8} {'first ms':>9} {'errors':>6}")
    with ExitStack() as everything:
        port = everything.enter_context(upstream())
        for start in [lambda stack, port: Proxy("direct", port, None), *proxies]:
            with ExitStack() as stack:
                proxy = start(stack, port)
                load(proxy, 50, 1, False)
                load(proxy, 10, 10, True)
                loads = found[proxy.name] = {}
                for concurrency in CONCURRENCIES:
                    loads[f"json {concurrency}"] = load(proxy, requests - requests % concurrency, concurrency, False)
                loads[f"stream {STREAMS}"] = load(proxy, max(50, requests // 10), STREAMS, True)
                for name, one in loads.items():
                    figures = f"{one.cpu_ms:8.3f} {one.p50_ms:8.2f} {one.p99_ms:8.2f} {one.first_p50_ms:9.2f}"
                    print(f"{proxy.name:12} {name:10} {figures} {one.errors:6}", flush=True)
                print(f"{proxy.name:12} memory     {proxy.memory_mb():8.0f} MB", flush=True)
                loads["memory"] = Measured(proxy.memory_mb(), 0, 0, 0, 0)
    return found


def verdict(found: dict[str, dict[str, Measured]]) -> bool:
    """Print how the router stands to its targets; return whether it meets them."""
    ours, direct = found["router"], found["direct"]
    stream = f"stream {STREAMS}"
    # At concurrency 1 a proxy's two hops cost most processor; that figure is the honest one.
    first_ms = ours[stream].first_p50_ms - direct[stream].first_p50_ms
    figures = [
        ("CPU ms a JSON request", ours["json 1"].cpu_ms, MOST_JSON_CPU_MS),
        ("CPU ms a stream of 64 tokens", ours[stream].cpu_ms, MOST_STREAM_CPU_MS),
        ("ms added at concurrency 1, p50", ours["json 1"].p50_ms - direct["json 1"].p50_ms, MOST_ADDED_MS),
        ("ms added to the first token, p50", first_ms, MOST_ADDED_FIRST_MS),
        ("errors", sum(one.errors for one in ours.values()), 0),
        ("MB of memory", ours["memory"].cpu_ms, MOST_MEMORY_MB),
    ]
    for other in ("bare Flask", "LiteLLM"):
        if other in found:
            for name in ("json 1", stream):
                ratio = ours[name].cpu_ms / found[other][name].cpu_ms
                most = MOST_OF_LITELLM if other == "LiteLLM" else float("inf")
                figures.append((f"CPU of {other}'s, {name}", ratio, most))
    for label, value, most in figures:
        limit = "" if most == float("inf") else f"at most {most:<6g} {'ok' if value <= most else 'MISSED'}"
        print(f"{label:36} {value:8.3f}   {limit}")
    return all(value <= most for _, value, most in figures)


def main() -> None:
    """Run the bench, or its client."""
    if sys.argv[1:2] == ["client"]:
        client(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "1")
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without LiteLLM")
    parser.add_argument("--requests", type=int, default=1600)
    arguments = parser.parse_args()
    proxies = [router, bare] if arguments.quick else [router, bare, litellm]
    sys.exit(0 if verdict(measure(proxies, arguments.requests)) else 1)


if __name__ == "__main__":
    main()
