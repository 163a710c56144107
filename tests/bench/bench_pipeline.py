"""Bench: whole runs of the pipeline by the command line, against the earlier system's figures.

    python -m tests.bench.bench_pipeline            200, 2,000 (one and two workers) and 20,000 people: some minutes
    python -m tests.bench.bench_pipeline --quick    without the 20,000

CPU is user and system time of all processes of a run, memory the largest resident set of any of them, both from
the operating system's accounting of the finished run. Wall times are only compared within this bench, and sizes
are measured in turns, so that a machine that slows down slows all of them. The HTML page is included, for which
the goals allow 1.5 CPU seconds on top.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FITSENSE = Path(sys.executable).with_name("fitsense")
CONFIG = Path(__file__).parents[2] / "deploy" / "runs" / "small.yaml"

EARLIER_CPU_S = {200: 17.4, 2000: 136.0}
EARLIER_MB = {200: 111, 2000: 421}
GOAL_CPU_S = {200: 2.2, 2000: 14.0}
PAGE_CPU_S = 1.5
GOAL_MB = 300
EARLIER_SETS = 180


@dataclass(frozen=True)
class Measured:
    """A finished run, as the operating system accounts for it."""

    users: int
    workers: int
    wall_s: float
    cpu_s: float
    megabytes: float
    sets: float
    records: int


def measure(users: int, workers: int, shards: int = 4) -> Measured:
    """Run the pipeline once in an empty directory."""
    out = tempfile.mkdtemp(prefix="fitsense-bench-")
    try:
        sets = ["--set", f"users={users}", "--set", f"shards={shards}", "--set", "gate.min_records=1"]
        command = [str(FITSENSE), "run", str(CONFIG), "--out", out, "--workers", str(workers), "--json", *sets]
        outcome, usage = run(command)
        stats = json.loads((Path(outcome["report"]).parent / "stats_report.json").read_text())
        return Measured(
            users=users,
            workers=workers,
            wall_s=outcome["seconds"],
            cpu_s=usage.ru_utime + usage.ru_stime,
            megabytes=usage.ru_maxrss / 1024,
            sets=stats["training"]["sets_per_person"]["mean"],
            records=outcome["counts"]["records"],
        )
    finally:
        shutil.rmtree(out)


def run(command: list[str]) -> tuple[dict[str, Any], Any]:
    """Run a command; returns the object it printed, and the resources it and its children took."""
    with tempfile.TemporaryFile() as output, open(os.devnull, "wb") as nowhere:
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2)]
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        output.seek(0)
        printed = output.read()
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    return json.loads(printed), usage


def in_turns(sizes: Sequence[tuple[int, int]], times: int) -> list[Measured]:
    """Return the best of several runs of each size, people and workers, measured one after the other."""
    rounds = [[measure(users, workers) for users, workers in sizes] for _ in range(times)]
    return [best(runs) for runs in zip(*rounds, strict=True)]


def best(runs: Sequence[Measured]) -> Measured:
    """Return the run with the least CPU, and the least wall time of any: what disturbs a machine only ever adds."""
    least = min(runs, key=lambda found: found.cpu_s)
    return replace(least, wall_s=min(found.wall_s for found in runs))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out the 20,000 people")
    parser.add_argument("--times", type=int, default=3, help="runs of each size; the best counts")
    arguments = parser.parse_args()
    console = Console(width=120)
    small, one, two = in_turns([(200, 2), (2000, 1), (2000, 2)], arguments.times)
    large = None if arguments.quick else measure(20_000, 2)
    console.print(runs_table([small, one, two, *([large] if large else [])]))
    console.print(goals_table(goals(small, one, two, large)))


def runs_table(runs: list[Measured]) -> Table:
    """Return what was measured."""
    table = Table("people", "workers", "records", "sets each", "CPU s", "ms a person", "wall s", "largest MB", box=None)
    for found in runs:
        table.add_row(
            f"{found.users:,}",
            str(found.workers),
            f"{found.records:,}",
            f"{found.sets:.0f}",
            f"{found.cpu_s:.2f}",
            f"{found.cpu_s / found.users * 1000:.2f}",
            f"{found.wall_s:.2f}",
            f"{found.megabytes:.0f}",
        )
    return table


@dataclass(frozen=True)
class Goal:
    """A figure asked for, the earlier system's where it was measured, and ours."""

    name: str
    asked: float
    here: float
    earlier: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether ours is at most, or at least, what was asked for."""
        return self.here >= self.asked if self.at_least else self.here <= self.asked


def goals(small: Measured, one: Measured, two: Measured, large: Measured | None) -> list[Goal]:
    """Return every goal that the runs tell about."""
    medium = min(one, two, key=lambda found: found.cpu_s)
    largest_mb = max(found.megabytes for found in (small, one, two))
    found = [
        *(cpu_goal(measured) for measured in (small, medium)),
        Goal("MB, any process", GOAL_MB, largest_mb, EARLIER_MB[2000]),
        Goal("sets a person", EARLIER_SETS, small.sets, EARLIER_SETS, at_least=True),
        Goal("two workers against one, wall", 1.7, one.wall_s / two.wall_s, at_least=True),
    ]
    if large:
        a_person = (large.cpu_s / large.users) / (two.cpu_s / two.users)
        found.append(Goal("CPU a person, 20,000 against 2,000", 1.15, a_person))
        found.append(Goal("peak memory, 20,000 against 2,000", 1.15, large.megabytes / two.megabytes))
    return found


def cpu_goal(found: Measured) -> Goal:
    """Return the goal for the CPU time of a run of a size that the earlier system was measured at."""
    name = f"CPU s, {found.users:,} people, with the page"
    return Goal(name, GOAL_CPU_S[found.users] + PAGE_CPU_S, found.cpu_s, EARLIER_CPU_S[found.users])


def goals_table(found: list[Goal]) -> Table:
    """Return the goals, with the ratio to the earlier system."""
    table = Table("goal", "earlier", "asked for", "here", "here / earlier", "", box=None)
    for goal in found:
        table.add_row(
            goal.name,
            f"{goal.earlier:g}" if goal.earlier else "",
            f"{'>=' if goal.at_least else '<='} {goal.asked:g}",
            f"{goal.here:.2f}",
            f"{goal.here / goal.earlier:.3f}" if goal.earlier else "",
            "met" if goal.met else "MISSED",
        )
    return table


if __name__ == "__main__":
    main()
