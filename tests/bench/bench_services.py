"""Bench: the services as they are served, on a real Postgres, for a user with 90 days of history.

    python -m tests.bench.bench_services             the table; two or three minutes
    python -m tests.bench.bench_services --quick     two seconds of everything

    requests/s    by wrk, 10 connections that are kept, one worker process a service
    per core      requests per CPU second of the service's processes: the figure that holds on a shared machine
    ratio         per core, against the earlier system's single worker on SQLite, in the same units
    p50, p99 ms   as wrk saw them; on a machine that does other things too, upper bounds
    RSS MB        of all of the service's processes, at the end

Postgres writes safely: fsync and synchronous commits are on.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import sqlalchemy
from rich.console import Console
from rich.table import Table

from deploy.database import migrate
from deploy.local import postgres
from deploy.local.components import python_path
from deploy.local.ports import HOST, Ports
from deploy.local.services import THREADS
from shared.database import database
from tests.postgres import Server

CONNECTIONS = 10
P99_MS = 50
"""At these connections, on an idle machine; a login is one hash after another, and may take longer."""
RSS_MB = 200
LIMIT_S = 60.0
SAFE = ("max_connections=100", "shared_buffers=128MB")
PASSWORD = "correct horse battery staple"
MISSING = "wrk is not here; it drives this bench. Install it (Debian: apt-get install wrk) and try again."
LIFTS = ("back-squat", "bench-press", "deadlift", "overhead-press", "barbell-row")
SETS_A_WORKOUT = 25


@dataclass(frozen=True)
class Earlier:
    """What the earlier system's worker did per second and core, and what is asked of this one."""

    per_core: float
    goal: float | None


EARLIER = {
    "current plan": Earlier(114, 900),
    "dashboard, 1,000 sets": Earlier(14, 500),
    "dashboard, 20,000 sets": Earlier(14, 500),
    "set insert": Earlier(156, 600),
    "login": Earlier(4, None),
}
NEW_USERS_DASHBOARD = 78
"""What the earlier system did for a user who had logged nothing."""


@dataclass
class Served:
    """A service that runs."""

    name: str
    url: str
    process: psutil.Process

    def family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu_s(self) -> float:
        times = [process.cpu_times() for process in self.family()]
        return sum(one.user + one.system for one in times)

    def rss_mb(self) -> float:
        return sum(process.memory_info().rss for process in self.family()) / 1e6


@dataclass(frozen=True)
class Measured:
    """What came of driving one operation."""

    operation: str
    requests_s: float
    per_core: float
    p50_ms: float
    p99_ms: float
    wrong: int
    rss_mb: float


@contextmanager
def served(name: str, port: int, variables: dict[str, str], log: Path) -> Iterator[Served]:
    """Run one service with one worker process."""
    granian = (sys.executable, "-P", "-m", "granian", "--interface", "wsgi", "--factory", "--no-access-log")
    where = ("--host", HOST, "--port", str(port), "--workers", "1", "--blocking-threads", str(THREADS[name]))
    environment = os.environ | variables | {"PYTHONPATH": python_path(), "FITSENSE_SERVICE": name}
    with log.open("wb") as out:
        process = subprocess.Popen(
            (*granian, *where, f"services.{name}.app:from_env"), env=environment, stdout=out, stderr=out
        )
    running = Served(name, f"http://{HOST}:{port}", psutil.Process(process.pid))
    try:
        _until_ready(running, process, log)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


def _until_ready(running: Served, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            if httpx.get(f"{running.url}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{running.name} does not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


class Person:
    """Somebody who is signed up and on-boarded."""

    def __init__(self, services: dict[str, Served], number: int) -> None:
        self._services = services
        self.email = f"bench{number}@example.org"
        self.http = httpx.Client(trust_env=False, timeout=60)
        session = self._asked(
            "POST", "profile", "/v1/auth/signup", {"name": "Bench", "email": self.email, "password": PASSWORD}
        )
        self.user_id = session["user_id"]
        self.token = session["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        about = {"age": 35, "sex": "female", "height_cm": 168, "weight_kg": 66, "goals": ["muscle_gain"]}
        about |= {"activity_level": "moderately_active", "experience": "intermediate", "days_per_week": 4}
        about |= {"equipment": ["barbell", "squat_rack", "bench", "dumbbells"]}
        self._asked("PUT", "profile", "/v1/profile", about)

    def make_plan(self) -> None:
        """Have a plan made."""
        response = self.http.post(f"{self._services['plan'].url}/v1/plans:stream", json={})
        if "event: plan" not in response.text:
            raise SystemExit(f"no plan: {response.status_code} {response.text[:500]}")

    def entries(self, count: int) -> tuple[str, list[str]]:
        """Begin a workout with so many exercises; returns its id and theirs."""
        workout = self._asked("POST", "logging", "/v1/workouts", {"name": "Bench"})["workout_id"]
        path = f"/v1/workouts/{workout}/exercises"
        bodies = [{"exercise": LIFTS[place % len(LIFTS)], "position": place + 1} for place in range(count)]
        return workout, [self._asked("POST", "logging", path, body)["entry_id"] for body in bodies]

    def _asked(self, method: str, service: str, path: str, body: dict[str, object]) -> dict[str, str]:
        response = self.http.request(method, self._services[service].url + path, json=body)
        if response.status_code >= 300:
            raise SystemExit(f"{method} {path}: {response.status_code} {response.text[:500]}")
        found: dict[str, str] = response.json()
        return found


def give_history(server: Server, user_id: str, sets: int) -> None:
    """Write 90 days of training, as the rows of a user whom policies hold; sums are kept as always."""
    workouts = sets // SETS_A_WORKOUT
    each = f"generate_series(0, {workouts - 1}) AS w"
    uuid = "md5('{user}' || '{what}' || {of})::uuid"
    workout = uuid.format(user=user_id, what="w", of="w")
    entry = uuid.format(user=user_id, what="e", of="(w || '-' || e)")
    one = uuid.format(user=user_id, what="s", of="(w || '-' || e || '-' || s)")
    day = f"(current_date - (89 * w / {max(1, workouts - 1)})::int)"
    monday = f"logging.monday({day})"
    lift = f"(ARRAY{list(LIFTS)!r})[e + 1]"
    statements = (
        "INSERT INTO logging.workouts (workout_id, user_id, name, day, started_at)"
        f" SELECT {workout}, '{user_id}', 'Session', {day}, {day} + time '18:00' FROM {each}",
        "INSERT INTO logging.exercises (entry_id, user_id, workout_id, exercise, position, week, lifted, muscles,"
        f" assisting) SELECT {entry}, '{user_id}', {workout}, {lift}, e + 1, {monday}, true, ARRAY['quads'],"
        f" ARRAY['glutes']"
        f" FROM {each}, generate_series(0, 4) AS e",
        "INSERT INTO logging.sets (set_id, user_id, workout_id, entry_id, number, reps, load_kg, rir, is_warmup,"
        f" completed_at, e1rm_kg) SELECT {one}, '{user_id}', {workout}, {entry}, s, 8, 60, 2, false,"
        f" {day} + time '18:30', 80 FROM {each}, generate_series(0, 4) AS e, generate_series(1, 5) AS s",
        f"INSERT INTO logging.days (user_id, day, sleep_h, kcal, weight_kg) SELECT '{user_id}', current_date - d, 7.5,"
        " 2200, 66 FROM generate_series(0, 89) AS d",
    )
    with closing(database(server.settings("logging", "fitsense", database_wait_s=LIMIT_S))) as pool:
        with pool.transaction(user_id) as connection:
            for statement in statements:
                connection.execute(sqlalchemy.text(statement))
    server.sql("ANALYZE", "fitsense")


def drive(service: Served, operation: str, path: str, seconds: int, script: str, warm: str | None = None) -> Measured:
    """Drive one operation with wrk, after a second of the warm-up script, or of the same, which does not count."""
    _wrk(service.url + path, 1, warm or script)
    before = service.cpu_s()
    text = _wrk(service.url + path, seconds, script)
    used = service.cpu_s() - before
    return Measured(
        operation=operation,
        requests_s=float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        per_core=int(_found(r"(\d+) requests in", text)) / used,
        p50_ms=_ms(_found(r"\n\s+50%\s+(\S+)\s*\n", text)),
        p99_ms=_ms(_found(r"\n\s+99%\s+(\S+)\s*\n", text)),
        wrong=int(_found(r"Non-2xx or 3xx responses: (\d+)", text, "0")),
        rss_mb=service.rss_mb(),
    )


def _wrk(url: str, seconds: int, script: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(script)
        lua.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", lua.name, url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _found(pattern: str, text: str, otherwise: str | None = None) -> str:
    match = re.search(pattern, text)
    if match:
        return match[1]
    if otherwise is None:
        raise SystemExit(f"wrk said something unexpected:\n{text}")
    return otherwise


def _ms(text: str) -> float:
    number = float(re.sub(r"[a-z]+$", "", text))
    return number * {"us": 0.001, "ms": 1, "s": 1000}[re.sub(r"^[\d.]+", "", text)]


def headers(token: str) -> str:
    """Return the part of a script that says who asks."""
    return f'wrk.headers["Authorization"] = "Bearer {token}"\nwrk.headers["Content-Type"] = "application/json"\n'


def set_script(person: Person, entries: list[tuple[str, str]]) -> str:
    """Return a script that inserts sets, each another one, into exercises of workouts."""
    listed = ",".join(f'{{"/v1/workouts/{workout}/sets","{entry}"}}' for workout, entry in entries)
    body = '{"entry_id":"%s","number":%d,"reps":8,"load_kg":60.0,"rir":2}'
    return (
        headers(person.token)
        + f"local entries = {{{listed}}}\nlocal at = 0\n"
        + "function request()\n"
        + "  local entry = entries[math.floor(at / 99) % #entries + 1]\n"
        + f"  local body = string.format('{body}', entry[2], at % 99 + 1)\n"
        + "  at = at + 1\n"
        + '  return wrk.format("POST", entry[1], nil, body)\nend\n'
    )


def bench(seconds: int) -> list[Measured]:
    """Run everything and measure it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        ports = stack.enter_context(closing(Ports()))
        server = Server(folder, ports.reserve(), SAFE)
        server.start()
        stack.callback(server.stop)
        migrate(server.settings("migrations", "fitsense", database_user=postgres.SUPERUSER))
        services = _services(stack, ports, server, folder)
        some, many = Person(services, 1), Person(services, 2)
        some.make_plan()
        for person, sets in ((some, 1_000), (many, 20_000)):
            give_history(server, person.user_id, sets)
        return [
            drive(services["plan"], "current plan", "/v1/plans/current", seconds, headers(some.token)),
            drive(services["logging"], "dashboard, 1,000 sets", "/v1/dashboard", seconds, headers(some.token)),
            drive(services["logging"], "dashboard, 20,000 sets", "/v1/dashboard", seconds, headers(many.token)),
            _insert_sets(services["logging"], some, seconds),
            _log_in(services["profile"], some, seconds),
        ]


def _services(stack: ExitStack, ports: Ports, server: Server, folder: Path) -> dict[str, Served]:
    at = {name: ports.reserve() for name in ("profile", "plan", "logging")}
    variables = {f"FITSENSE_{name.upper()}_URL": f"http://{HOST}:{port}" for name, port in at.items()}
    variables |= {
        "FITSENSE_OUT": str(folder / "out"),
        "FITSENSE_DATABASE_PORT": str(server.port),
        "FITSENSE_USERS_URL": f"http://{HOST}:{at['profile']}/v1/auth/jwks.json",
        "FITSENSE_RATE_PER_USER": "1000000",
        "FITSENSE_RATE_PER_ADDRESS": "1000000",
        "FITSENSE_LOG_LEVEL": "WARNING",
    }
    return {
        name: stack.enter_context(served(name, port, variables, folder / f"{name}.log")) for name, port in at.items()
    }


def _insert_sets(service: Served, person: Person, seconds: int) -> Measured:
    entries = [(workout, entry) for workout, own in (person.entries(50) for _ in range(4)) for entry in own]
    script = set_script(person, entries)
    return drive(service, "set insert", "/v1/dashboard", seconds, script, warm=headers(person.token))


def _log_in(service: Served, person: Person, seconds: int) -> Measured:
    body = json.dumps({"email": person.email, "password": PASSWORD})
    script = headers("-") + f"wrk.method = 'POST'\nwrk.body = {body!r}\nwrk.headers['Authorization'] = nil\n"
    return drive(service, "login", "/v1/auth/login", seconds, script)


def show(found: list[Measured]) -> None:
    """Print the table."""
    table = Table(title=f"services, {CONNECTIONS} connections, one worker process each")
    for name in ("", "requests/s", "per core", "earlier", "ratio", "goal", "p50 ms", "p99 ms", "not 2xx", "RSS MB"):
        table.add_column(name, justify="right" if name else "left")
    for one in found:
        earlier = EARLIER[one.operation]
        goal = "-" if earlier.goal is None else f"{earlier.goal:g} {_mark(one.per_core >= earlier.goal)}"
        table.add_row(
            one.operation,
            f"{one.requests_s:.0f}",
            f"{one.per_core:.0f}",
            f"{earlier.per_core:g}",
            f"{one.per_core / earlier.per_core:.1f}",
            goal,
            f"{one.p50_ms:.1f}",
            f"{one.p99_ms:.1f}" + (f" {_mark(one.p99_ms < P99_MS)}" if earlier.goal else ""),
            str(one.wrong),
            f"{one.rss_mb:.0f} {_mark(one.rss_mb < RSS_MB)}",
        )
    console = Console(width=120)
    console.print(table)
    console.print("Earlier: a single worker on SQLite, 790 to 910 MB.")
    console.print(f"Its dashboard did {NEW_USERS_DASHBOARD} per core for a user without a log.")


def _mark(met: bool) -> str:
    return "✓" if met else "✗"


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seconds of everything")
    if shutil.which("wrk") is None:
        raise SystemExit(MISSING)
    show(bench(2 if parser.parse_args().quick else 10))


if __name__ == "__main__":
    main()
