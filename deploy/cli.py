"""Command line: `fitsense`, for everybody who runs, watches or mends the pipeline."""

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from rich.console import Console
from rich.table import Table

from deploy import dead_letters
from deploy.embedded import Embedded, embedded, open_runtime
from deploy.outcome import Outcome, outcome, show
from deploy.preflight import check_teacher, usable_cores
from deploy.progress import Progress
from deploy.topology import topology
from shared import run_state
from shared.config_text import ConfigError, parse_config
from shared.errors import FitsenseError
from shared.inbox import MAX_CONFIG_BYTES
from shared.run_config import RunConfig
from shared.runtime import Runtime

FAILED, WRONG_INPUT = 1, 2

P = ParamSpec("P")
R = TypeVar("R")

out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Directory that holds runs, datasets and reports.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=None,
    help="Worker processes.  [default: one a core]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")


def errors_are_messages(command: Callable[P, R]) -> Callable[P, R]:
    """End a command with one line on standard error for what this project raises on purpose."""

    @wraps(command)
    def around(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ConfigError as exc:
            for fault in exc.faults:
                click.echo(f"error: {fault}", err=True)
            sys.exit(WRONG_INPUT)
        except FitsenseError as exc:
            click.echo(f"error: {exc}", err=True)
            sys.exit(FAILED)

    return around


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make distillation datasets for a fitness coach: run the pipeline, watch it, mend it."""


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@out_option
@workers_option
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a field: gate.min_records=10.")
@json_option
@errors_are_messages
def run(config: Path, out: Path, workers: int | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Drop CONFIG and follow its run to the gate.

    Exit status: 0 approved, 3 rejected by the gate, 2 wrong config, 1 failed, 130 interrupted.
    """
    text = _read_config(config)
    parsed = parse_config(text, overrides)
    check_teacher(parsed)
    dropped_text = parsed.model_dump_json(indent=2).encode() if overrides else text
    with embedded(out, workers or usable_cores()) as stack:
        dropped = stack.runtime.inbox.drop(f"runs/{config.name}", dropped_text)
        stack.start(dropped)
        ended = _follow(stack, dropped.run_id, parsed.shards)
    _report(stack.runtime, ended, as_json)


@main.command()
@click.argument("run_id")
@out_option
@workers_option
@click.option("--max-cost-usd", type=click.FloatRange(min=0, min_open=True), help="Raise the run's cost limit.")
@json_option
@errors_are_messages
def resume(run_id: str, out: Path, workers: int | None, max_cost_usd: float | None, as_json: bool) -> None:
    """Let a run that was killed, failed or stopped go on from where it is."""
    around = open_runtime(out)
    config = parse_config(around.inbox.read(around.inbox.find(run_id)))
    check_teacher(config)
    if max_cost_usd is not None:
        run_state.raise_cost_limit(around.documents, run_id, max_cost_usd)
    with embedded(out, workers or usable_cores()) as stack:
        stack.resume(run_id)
        ended = _follow(stack, run_id, config.shards)
    _report(stack.runtime, ended, as_json)


@main.command()
@click.argument("run_id", required=False)
@out_option
@json_option
@errors_are_messages
def runs(run_id: str | None, out: Path, as_json: bool) -> None:
    """List the runs, or show how far one has come."""
    documents = open_runtime(out).documents
    if run_id is None:
        records = run_state.runs(documents)
        if as_json:
            click.echo(json.dumps([record.model_dump(mode="json") for record in records], indent=2))
        else:
            Console().print(_runs_table(records))
        return
    record, deliveries = run_state.run(documents, run_id), run_state.deliveries(documents, run_id)
    if as_json:
        parts = [delivery.model_dump(mode="json") for delivery in deliveries]
        click.echo(json.dumps(record.model_dump(mode="json") | {"deliveries": parts}, indent=2))
    else:
        Console().print(_runs_table([record]), _deliveries_table(deliveries))


@main.group("dead-letters")
def dead_letters_group() -> None:
    """Look after messages that a phase could not take."""


@dead_letters_group.command("list")
@out_option
@json_option
@errors_are_messages
def list_letters(out: Path, as_json: bool) -> None:
    """List the dead letters, oldest first."""
    letters = dead_letters.letters(open_runtime(out).documents)
    if as_json:
        click.echo(json.dumps([letter.model_dump(mode="json") for letter in letters], indent=2))
    else:
        Console().print(_letters_table(letters) if letters else "no dead letters")


@dead_letters_group.command()
@click.argument("letter_ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Replay every dead letter.")
@out_option
@workers_option
@errors_are_messages
def replay(letter_ids: tuple[str, ...], every: bool, out: Path, workers: int | None) -> None:
    """Deliver dead letters again; those that succeed are gone, the others stay with their new reason."""
    documents = open_runtime(out).documents
    chosen = _chosen(letters=dead_letters.letters(documents), letter_ids=letter_ids, every=every)
    with embedded(out, workers or usable_cores()) as stack:
        for letter in chosen:
            stack.replay(letter)
        stack.run_until_idle(lambda: None)
    left = {letter.id for letter in dead_letters.letters(documents)}
    for letter in chosen:
        click.echo(f"{letter.id}  {letter.function}  {'failed again' if letter.id in left else 'delivered'}")
    sys.exit(FAILED if left & {letter.id for letter in chosen} else 0)


@dead_letters_group.command()
@click.argument("letter_ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Drop every dead letter.")
@out_option
@errors_are_messages
def drop(letter_ids: tuple[str, ...], every: bool, out: Path) -> None:
    """Forget dead letters."""
    documents = open_runtime(out).documents
    chosen = _chosen(letters=dead_letters.letters(documents), letter_ids=letter_ids, every=every)
    for letter in chosen:
        dead_letters.drop(documents, letter.id)
        click.echo(f"{letter.id}  dropped")


@main.command()
@click.argument("name", type=click.Choice(["run-config"]))
def schema(name: str) -> None:
    """Print a JSON Schema, for editors and checkers."""
    del name
    click.echo(json.dumps(RunConfig.model_json_schema(), indent=2))


def _read_config(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_CONFIG_BYTES + 1)
    except OSError as exc:
        raise ConfigError((f"{path}: {exc.strerror}",)) from exc


def _follow(stack: Embedded, run_id: str, shards: int) -> Outcome:
    """Work until a run has ended, showing how far it is."""
    began = time.monotonic()
    documents = stack.runtime.documents
    console = Console(stderr=True)
    console.print(f"run {run_id}", highlight=False)
    try:
        with Progress(console, topology(), documents, run_id, shards) as progress:
            stack.run_until_idle(progress.tick)
    except KeyboardInterrupt:
        run_state.finish(documents, run_id, "interrupted", ("interrupted from the keyboard or by a signal",))
    return outcome(stack.runtime, run_id, time.monotonic() - began)


def _report(around: Runtime, ended: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(ended.model_dump_json(indent=2))
    else:
        show(Console(), ended, run_state.deliveries(around.documents, ended.run_id))
    sys.exit(ended.exit_code)


def _chosen(
    letters: list[dead_letters.DeadLetter], letter_ids: tuple[str, ...], every: bool
) -> list[dead_letters.DeadLetter]:
    by_id = {letter.id: letter for letter in letters}
    if every == bool(letter_ids):
        raise click.UsageError("name the dead letters, or say --all")
    if unknown := [one for one in letter_ids if one not in by_id]:
        raise click.UsageError(f"there is no dead letter {', '.join(unknown)}")
    return list(by_id.values()) if every else [by_id[one] for one in letter_ids]


def _runs_table(records: list[run_state.RunRecord]) -> Table:
    table = Table("run", "name", "status", "people", "began", "why", box=None)
    for record in records:
        why = "; ".join(record.reasons)
        table.add_row(record.run_id, record.name, record.status, f"{record.users:,}", _clock(record.began_at), why)
    return table


def _deliveries_table(deliveries: list[run_state.DeliveryRecord]) -> Table:
    table = Table("part", "status", "attempts", "items", "seconds", "error", box=None)
    for one in deliveries:
        cells = (
            one.key,
            one.status,
            str(one.attempts),
            f"{one.done:,}",
            f"{one.seconds:.2f}",
            one.error or "",
        )
        table.add_row(*cells)
    return table


def _letters_table(letters: list[dead_letters.DeadLetter]) -> Table:
    table = Table("id", "function", "run", "attempts", "since", "why", box=None)
    for letter in letters:
        cells = (
            letter.id,
            letter.function,
            letter.run_id or "",
            str(letter.attempts),
            _clock(letter.buried_at),
        )
        table.add_row(*cells, letter.error)
    return table


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""
