"""Serving bench: ten users at once on real vLLM: what the router costs in tokens, how fair it is, what overload does.

    python -m tests.bench.bench_serving            some minutes; wants make setup-vllm

    throughput   tokens a second of three requests in flight, asked of vLLM directly and through the router, in turns;
                 the median of the turns' ratios. Every answer has the same number of tokens.
    fairness     ten users who ask again and again, one of them with four requests at once; per user the mean wait
    full load    as many clients as there are places: nobody is refused, and the p99 of the answers is the measure
    overload     ten times as many: p99 of those let in against full load's, and how soon the others are told

The base is a toy, so a token costs little and what lies around the model shows as much as it ever will.
"""

import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.serving.stack import VLLM_KEY, Serving, serving

SLOTS, QUEUE = 3, 9
TOKENS = 96
USERS = 10
TURNS = 5
ASKED_A_TURN = 24
LOAD_S = 20.0
MOST_BACKOFF_S = 1.0

LEAST_THROUGHPUT = 0.97
MOST_UNFAIRNESS = 2.0
MOST_P99_RATIO = 1.5
MOST_REFUSAL_MS = 50.0

GRAMMAR = {"grammar": f'start: "a"{{{TOKENS * 8}}}'}


@dataclass
class Seen:
    """What clients saw."""

    answered_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waits_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refused_s: list[float] = field(default_factory=list)
    tokens: int = 0
    others: list[int] = field(default_factory=list)

    def latencies(self) -> list[float]:
        """Return how long answers took, the shortest first."""
        return sorted(second for user in self.answered_s.values() for second in user)


@dataclass(frozen=True)
class Door:
    """Where to ask, and as whom."""

    port: int
    token: str
    model: str


class Client:
    """One connection that asks and notes."""

    def __init__(self, door: Door, user: str, seen: Seen, noting: threading.Lock) -> None:
        self._door = door
        self._user = user
        self._seen = seen
        self._noting = noting
        self._connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=300)

    def ask(self) -> float:
        """Ask once; return how long to stay away, which is 0 where it was answered."""
        body = {
            "model": self._door.model,
            "messages": [{"role": "user", "content": f"Say a lot, {self._user}."}],
            "max_tokens": TOKENS,
            "structured_outputs": GRAMMAR,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        headers = {
            "Authorization": f"Bearer {self._door.token}",
            "Content-Type": "application/json",
            "X-FitSense-User": self._user,
        }
        began = time.perf_counter()
        self._connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = self._connection.getresponse()
        first = response.read1(1)
        begun = time.perf_counter()
        data = first + response.read()
        ended = time.perf_counter()
        with self._noting:
            return self._note(response, data, began, begun, ended)

    def _note(self, response: http.client.HTTPResponse, data: bytes, began: float, begun: float, ended: float) -> float:
        if response.status == 429:
            self._seen.refused_s.append(ended - began)
            return min(MOST_BACKOFF_S, float(response.headers["Retry-After"]))
        if response.status != 200 or b"[DONE]" not in data:
            self._seen.others.append(response.status)
            return 0.1
        self._seen.answered_s[self._user].append(ended - began)
        self._seen.waits_s[self._user].append(begun - began)
        usage = json.loads(data.split(b"\n\n")[-3].removeprefix(b"data: "))["usage"]
        self._seen.tokens += usage["completion_tokens"]
        return 0.0


def run(door: Door, users: Sequence[str], more: Callable[[], bool], patient: bool = True) -> Seen:
    """Have one connection a name in `users` ask again and again, as long as there is more to ask."""
    seen, noting = Seen(), threading.Lock()

    def work(user: str) -> None:
        client = Client(door, user, seen, noting)
        while more():
            away_s = client.ask()
            time.sleep(away_s if patient else min(away_s, 0.2))

    threads = [threading.Thread(target=work, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def so_many(count: int) -> Callable[[], bool]:
    """Return what is true so many times."""
    left, counting = [count], threading.Lock()

    def more() -> bool:
        with counting:
            left[0] -= 1
            return left[0] >= 0

    return more


def for_so_long(seconds: float) -> Callable[[], bool]:
    """Return what is true for so long."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def throughput(door: Door) -> float:
    """Return tokens a second with as many requests in flight as there are slots."""
    began = time.perf_counter()
    seen = run(door, [f"user {n}" for n in range(SLOTS)], so_many(ASKED_A_TURN))
    assert not seen.others, seen.others
    return seen.tokens / (time.perf_counter() - began)


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile of sorted values."""
    return values[min(len(values) - 1, round(len(values) * 0.99))]


def measure(running: Serving) -> list[tuple[str, float, float, bool]]:
    """Return each figure with its limit, and whether more is better."""
    version = running.promote(1)
    running.until(lambda: running.served() == version)
    router = Door(running.router_port, running.plan_service(), "student")
    direct = Door(running.vllm_port, VLLM_KEY, version)
    throughput(direct)
    throughput(router)
    ratios = []
    for turn in range(TURNS):
        order = (direct, router) if turn % 2 else (router, direct)
        rates = {door: throughput(door) for door in order}
        ratios.append(rates[router] / rates[direct])
        print(f"turn {turn}: direct {rates[direct]:6.1f} tokens/s, router {rates[router]:6.1f}", flush=True)

    names = [f"user {n}" for n in range(USERS)]
    fair = run(router, [*names, *["user 0"] * 3], for_so_long(LOAD_S), patient=False)
    waits = [statistics.mean(one) for user, one in sorted(fair.waits_s.items()) if user != "user 0"]
    shares = {user: len(one) for user, one in sorted(fair.answered_s.items())}
    print(f"fairness: mean waits {min(waits):.2f} to {max(waits):.2f} s; answers {shares}", flush=True)

    full = run(router, [f"user {n}" for n in range(SLOTS + QUEUE - 1)], for_so_long(LOAD_S))
    over = run(router, [f"user {n}" for n in range((SLOTS + QUEUE) * 10)], for_so_long(LOAD_S))
    for name, one in (("full load", full), ("ten times", over)):
        slowest = p99(one.latencies())
        print(f"{name}: {len(one.latencies())} answers, {len(one.refused_s)} refused, p99 {slowest:.2f} s", flush=True)
    refusals = sorted(over.refused_s)
    return [
        ("tokens a second, router / direct", statistics.median(ratios), LEAST_THROUGHPUT, True),
        ("longest / shortest mean wait of users", max(waits) / min(waits), MOST_UNFAIRNESS, False),
        ("most / fewest answers of users", max(shares.values()) / min(shares.values()), MOST_UNFAIRNESS, False),
        ("p99 at ten times / at full load", p99(over.latencies()) / p99(full.latencies()), MOST_P99_RATIO, False),
        ("ms until a refusal, p50", 1000 * statistics.median(refusals), MOST_REFUSAL_MS, False),
        ("ms until a refusal, p99", 1000 * p99(refusals), MOST_REFUSAL_MS, False),
        ("answers that were neither", len(fair.others) + len(full.others) + len(over.others), 0, False),
    ]


def main() -> None:
    """Run the bench."""
    with (
        tempfile.TemporaryDirectory() as place,
        serving(Path(place), slots=SLOTS, queue=QUEUE, queue_interactive_s=300, first_token_s=120) as running,
    ):
        figures = measure(running)
    good = True
    for label, value, limit, more in figures:
        met = value >= limit if more else value <= limit
        good = good and met
        print(f"{label:40} {value:8.3f}   at {'least' if more else 'most'} {limit:<6g} {'ok' if met else 'MISSED'}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
