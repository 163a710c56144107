"""Bench: the functions as they are served, on Google's emulators: how fast they start, are reached, and answer.

    python -m tests.bench.bench_functions             the table; some minutes
    python -m tests.bench.bench_functions --quick     fewer of everything

    import CPU s    to import the function's main.py, beyond functions-framework; the least of fresh processes
    /framework      the same, as a share of what functions-framework itself takes
    p50, p99 ms     from publishing an event to the function beginning with it, one event at a time
    events/s        events of finished runs, published at once and delivered again: decode, lease, state, the
                    look for the artifact, and publishing what follows
    /bare           the column before, against a function that does nothing, measured in the same minutes

While a function is measured nobody hears what it publishes, so that it has the machine to itself. Those around
training and serving are imported only: what they hear would start jobs and move what is served.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import quantiles

from google.cloud import pubsub_v1 as pubsub
from rich.console import Console
from rich.table import Table

from deploy.local.components import module_command
from deploy.local.ports import HOST, Ports
from deploy.local.provision import push_endpoint
from deploy.local.readiness import answers
from deploy.local.state import folder
from deploy.topology import folder as function_folder
from deploy.topology import subscription_id, topology
from shared.bus import Message
from tests.e2e.command import CONFIG, ROOT
from tests.emulated import Emulated, emulated
from tests.emulators import environment, wait_until

MOST_IMPORT_CPU_S = 0.6
RUNS = 4
PATIENCE_S = 120.0
BEGUN = {"begin", "a copy of this message was delivered"}
ENDED = {"end", "a copy of this message was delivered"}

BARE = """
import json, sys
from datetime import datetime, timezone
import functions_framework

@functions_framework.cloud_event
def bare(cloud_event):
    now = datetime.now(timezone.utc).isoformat()
    for message in ("begin", "end"):
        sys.stderr.write(json.dumps({"time": now, "message": message}) + "\\n")
    sys.stderr.flush()
"""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    imports: int
    alone: int
    at_once: int


QUICK, FULL = Size(imports=3, alone=20, at_once=60), Size(imports=7, alone=100, at_once=300)


@dataclass(frozen=True)
class Served:
    """How a function was reached and answered."""

    p50_ms: float
    p99_ms: float
    per_second: float


class Log:
    """A function's log, read from where it was last left."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0

    def times(self, messages: set[str], count: int) -> list[float]:
        """Wait for that many new lines with one of the messages; returns when they were written, in Unix time."""
        found: list[float] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(found) < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self._file.name}: {len(found)} of {count} deliveries in {PATIENCE_S:g} s")
            found += [time_of(line) for line in self._new() if line.get("message") in messages]
            time.sleep(0.002)
        return found

    def skip(self) -> None:
        """Go to the end."""
        self._new()

    def _new(self) -> list[dict[str, str]]:
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]


def time_of(line: dict[str, str]) -> float:
    """Return when a line was written, in Unix time."""
    return datetime.fromisoformat(line["time"]).timestamp()


class Bench:
    """A stack with finished runs, and whose functions hear nothing but what is published here."""

    def __init__(self, up: Emulated) -> None:
        self._up = up
        self._project = up.stack.environment["FITSENSE_PROJECT"]
        with environment(up.stack.environment):
            self._publisher, self._subscriber = pubsub.PublisherClient(), pubsub.SubscriberClient()
        self._events = self._finish_runs()
        for edge in topology().edges():
            quiet = {"subscription": self._subscriber.subscription_path(self._project, edge), "push_config": {}}
            self._subscriber.modify_push_config(request=quiet)

    def function(self, name: str, size: Size) -> Served | None:
        """Measure a function with events of its trigger; None where no run has any."""
        (port,) = [one.port for one in self._up.stack.processes if one.name == f"functions:{name}"]
        trigger = topology().deployed()[name].trigger
        if trigger not in self._events and trigger != topology().dead_letters.topic:
            return None
        log = Log(folder(self._up.out) / "log" / f"functions:{name}.log")
        log.skip()
        messages = self._events[trigger] if trigger in self._events else self._dead()
        return self._measure(messages, port or 0, trigger, log, size)

    def bare(self, size: Size) -> Served:
        """Measure a function that does nothing."""
        here = Path(tempfile.mkdtemp(prefix="fitsense-bench-", dir=self._up.out))
        (here / "main.py").write_text(BARE)
        with closing(Ports()) as ports, (here / "log").open("wb") as written:
            port = ports.reserve()
            what = ("--target", "bare", "--source", str(here / "main.py"), "--signature-type", "cloudevent")
            command = module_command("functions_framework", *what, "--host", HOST, "--port", str(port))
            with ended(subprocess.Popen(command, stderr=written, stdout=subprocess.DEVNULL)):
                wait_until(lambda: answers(port))
                return self._measure(self._events["run-requested"], port, "run-requested", Log(here / "log"), size)

    def _finish_runs(self) -> dict[str, list[Message]]:
        """Let runs go from end to end; returns every event that there was, by topic, different runs in turns."""
        of_runs = [name for name, topic in topology().topics.items() if topic.resumable]
        taps = {topic: self._subscribe(topic, f"{topic}--tap") for topic in of_runs}
        for number in range(RUNS):
            self._up.ended(self._up.drop(CONFIG, f"bench-{number}.yaml"))
        return {topic: self._pulled(topic, path) for topic, path in taps.items() if topic != "dataset-rejected"}

    def _pulled(self, topic: str, path: str) -> list[Message]:
        pulled = self._subscriber.pull(subscription=path, max_messages=1000, timeout=PATIENCE_S).received_messages
        messages = {one.message.data: dict(one.message.attributes) for one in pulled}
        found = [Message(topic, data, attributes) for data, attributes in messages.items()]
        return sorted(found, key=lambda one: (json.loads(one.data).get("shard", 0), one.data))

    def _dead(self) -> list[Message]:
        """Return messages as they come by the dead-letter topic."""
        marks = {"Subscription": subscription_id("run-requested", "profiles"), "DeliveryCount": "5"}
        more = {f"CloudPubSubDeadLetterSource{name}": value for name, value in marks.items()}
        return [Message("dead-letters", one.data, one.attributes | more) for one in self._events["run-requested"]]

    def _subscribe(self, topic: str, name: str, endpoint: str = "") -> str:
        path = self._subscriber.subscription_path(self._project, name)
        where = {"name": path, "topic": self._publisher.topic_path(self._project, topic), "ack_deadline_seconds": 600}
        self._subscriber.create_subscription(request=where | {"push_config": {"push_endpoint": endpoint}})
        return path

    def _measure(self, messages: Sequence[Message], port: int, trigger: str, log: Log, size: Size) -> Served:
        topic = self._publisher.topic_path(self._project, f"bench-{port}")
        self._publisher.create_topic(request={"name": topic})
        path = self._subscribe(f"bench-{port}", f"bench-{port}", push_endpoint(self._project, trigger, port))
        try:
            return self._served(list(islice(cycle(messages), size.at_once)), topic, log, size)
        finally:
            self._subscriber.delete_subscription(subscription=path)

    def _served(self, messages: Sequence[Message], topic: str, log: Log, size: Size) -> Served:
        self._publish(topic, messages[0])
        log.times(ENDED, 1)  # the first request makes clients, which is not measured here
        waits_ms = []
        for one in islice(cycle(messages), size.alone):
            began = time.time()
            self._publish(topic, one)
            waits_ms.append(1000 * (log.times(BEGUN, 1)[0] - began))
            time.sleep(0.05)
        log.skip()
        began = time.time()
        for one in messages:
            self._publish(topic, one)
        last = log.times(ENDED, len(messages))[-1]
        cuts = quantiles(waits_ms, n=100, method="inclusive")
        return Served(p50_ms=cuts[49], p99_ms=cuts[98], per_second=len(messages) / (last - began))

    def _publish(self, topic: str, one: Message) -> None:
        self._publisher.publish(topic, one.data, **one.attributes)


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End a process with the body."""
    with process:
        try:
            yield
        finally:
            process.terminate()


def import_cpu_s(module: str, times: int) -> tuple[float, float]:
    """Return the CPU seconds of importing functions-framework, and of importing a module after it."""
    code = (
        "import time\nbegan = time.process_time()\nimport functions_framework\nbetween = time.process_time()\n"
        f"import {module}\nprint(between - began, time.process_time() - between)"
    )
    command = [sys.executable, "-c", code]
    printed = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT) for _ in range(times)]
    framework, own = zip(*(map(float, one.stdout.split()) for one in printed), strict=True)
    return min(framework), min(own)


def table(size: Size) -> int:
    """Print the table; return 1 where an import takes too long."""
    shown = Table("function", "import CPU s", "/framework", "p50 ms", "/bare", "p99 ms", "/bare", "events/s", "/bare")
    imports = {}
    for name in topology().deployed():
        imports[name] = import_cpu_s(f"functions.{function_folder(name)}.main", size.imports)
    with tempfile.TemporaryDirectory(prefix="fitsense-bench-") as out, emulated(Path(out)) as up:
        bench = Bench(up)
        bare = bench.bare(size)
        shown.add_row("(bare)", "", "", *figures(bare, bare))
        for name, (framework, own) in imports.items():
            verdict = "" if own <= MOST_IMPORT_CPU_S else " MISSED"
            cells = (f"{own:.3f}{verdict}", f"{own / framework:.2f}")
            served = bench.function(name, size)
            shown.add_row(name, *cells, *(figures(served, bare) if served else ()))
        shown.add_row("(bare, again)", "", "", *figures(bench.bare(size), bare))
    Console(width=110).print(shown)
    return int(any(own > MOST_IMPORT_CPU_S for _, own in imports.values()))


def figures(one: Served, bare: Served) -> tuple[str, ...]:
    """Return the cells of what was served."""
    pairs = ((one.p50_ms, bare.p50_ms), (one.p99_ms, bare.p99_ms), (one.per_second, bare.per_second))
    return tuple(cell for value, against in pairs for cell in (f"{value:.1f}", f"{value / against:.2f}"))


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    raise SystemExit(table(QUICK if parser.parse_args().quick else FULL))


if __name__ == "__main__":
    main()
