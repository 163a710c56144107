"""Monitoring: `fitsense monitor`: have the monitor look now, and show what it sees."""

import json
import sys
import time
from datetime import UTC, datetime

import click
from rich.table import Table

from deploy import tables
from deploy.options import FAILED, errors_are_messages, json_option, workers_option
from deploy.placing import placed
from deploy.stacks import Place, Stack
from functions.monitor.look import DOCUMENT
from functions.monitor.sightings import Sightings
from shared.errors import Unavailable
from shared.events import MonitorDue

LOOKED_S = 120.0
"""How long somebody waits for the monitor to have looked."""
BY_HAND = "by hand"


@click.command()
@placed
@workers_option
@json_option
@errors_are_messages
def monitor(place: Place, workers: int | None, as_json: bool) -> None:
    """Look for runs, dead letters, trainings and promotions that stand still, and since when they do.

    Exit status: 0 nothing waits, 1 something does.
    """
    with place.open(workers, new=False) as stack:
        seen = looked(stack)
    if as_json:
        click.echo(json.dumps(seen.model_dump(mode="json"), indent=2))
    elif seen.seen:
        tables.show(sightings_table(seen))
    else:
        click.echo("nothing waits")
    sys.exit(FAILED if seen.seen else 0)


def looked(stack: Stack) -> Sightings:
    """Have the monitor look, and return what it has seen; raises Unavailable where it does not for long."""
    asked_at, deadline = datetime.now(UTC), time.monotonic() + LOOKED_S
    seen = Sightings()
    stack.publish(MonitorDue(schedule=BY_HAND))

    def over() -> bool:
        nonlocal seen
        found = stack.runtime.documents.get(DOCUMENT)
        seen = Sightings.model_validate(found.data if found else {})
        return _is_after(seen, asked_at) or time.monotonic() > deadline

    stack.work_until(over, lambda: None)
    stack.work_off(lambda: None)
    if not _is_after(seen, asked_at):
        raise Unavailable(f"the monitor did not look within {LOOKED_S:g} s")
    return seen


def sightings_table(seen: Sightings) -> Table:
    """Return what waits, the longest first."""
    table = tables.plain("what", "id", "since")
    for key, one in sorted(seen.seen.items(), key=lambda pair: pair[1].since):
        what, _, name = key.partition("/")
        table.add_row(what, name, tables.clock(one.since))
    return table


def _is_after(seen: Sightings, asked_at: datetime) -> bool:
    return seen.looked_at is not None and seen.looked_at >= asked_at
