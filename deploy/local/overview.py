"""Overview: what is known of a stack right now, as one object for programs and one table for people."""

from pathlib import Path
from typing import Literal

import click
from rich.console import Console
from rich.table import Table

from deploy.local.processes import Liveness
from deploy.local.state import ComponentState, LocalStackName, StackState
from shared.frozen import Frozen

STYLES = {"up": "green", "starting": "yellow", "down": "bold red", "left behind": "bold red"}


class ComponentOverview(Frozen):
    """A process of a stack."""

    name: str
    state: Liveness | Literal["left behind"]
    port: int | None
    pid: int | None
    restarts: int
    uptime_s: float | None


class Overview(Frozen):
    """A stack, or that there is none."""

    stack: LocalStackName | None
    out: Path | None
    keeper_pid: int | None
    """The process that keeps the stack; None where it is gone."""
    serves: bool
    """Whether all of it is up."""
    components: tuple[ComponentOverview, ...]
    environment: dict[str, str]


def look(found: StackState | None, now: float) -> Overview:
    """Return how what was written down of a stack compares to the processes there are; `now` is Unix time."""
    if found is None:
        return Overview(stack=None, out=None, keeper_pid=None, serves=False, components=(), environment={})
    kept = found.keeper.process() is not None
    components = tuple(_component(one, kept, now) for one in found.components)
    return Overview(
        stack=found.stack,
        out=found.out,
        keeper_pid=found.keeper.pid if kept else None,
        serves=kept and found.ready and all(one.state == "up" for one in components),
        components=components,
        environment=found.environment,
    )


def show(seen: Overview, out: Path) -> None:
    """Print it for people."""
    if seen.stack is None:
        click.echo(f"no stack runs on {out}")
        return
    kept = f"kept by process {seen.keeper_pid}" if seen.keeper_pid else "its keeper is gone: `fitsense down` tidies up"
    click.echo(f"{seen.stack} stack on {seen.out}, {kept}")
    table = Table("part", "state", "port", "pid", "restarts", "up for", box=None)
    for one in seen.components:
        cells = (_cell(one.port), _cell(one.pid), str(one.restarts), _span(one.uptime_s))
        table.add_row(one.name, f"[{STYLES.get(one.state, 'dim')}]{one.state}[/]", *cells)
    Console().print(table)


def _component(one: ComponentState, kept: bool, now: float) -> ComponentOverview:
    alive = one.process is not None and one.process.process() is not None
    state: Liveness | Literal["left behind"] = one.state
    if not alive and state in ("up", "starting"):
        state = "down"
    if alive and not kept:
        state = "left behind"
    return ComponentOverview(
        name=one.name,
        state=state,
        port=one.port,
        pid=one.process.pid if one.process and alive else None,
        restarts=one.restarts,
        uptime_s=round(now - one.began_at, 1) if alive else None,
    )


def _cell(number: int | None) -> str:
    return "" if number is None else str(number)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
