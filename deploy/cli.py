"""Command line: `fitsense`, for everybody who runs, watches or mends the pipeline."""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import ClassVar, cast

import click
from rich.console import Console

from deploy import tables
from deploy.interrupts import EXIT as INTERRUPTED
from deploy.local.commands import down, status, up
from deploy.options import FAILED, errors_are_messages, json_option, workers_option
from deploy.outcome import outcome, show
from deploy.placing import placed
from deploy.preflight import check_teacher
from deploy.progress import Progress
from deploy.stacks import Place, Stack
from deploy.topology import topology
from shared import dead_letters, run_state
from shared.config_text import ConfigError, parse_config
from shared.dead_letters import DeadLetter
from shared.inbox import MAX_CONFIG_BYTES
from shared.run_config import RunConfig


class Commands(click.Group):
    """Commands, of which some are imported when they are asked for: others start in less time than those take."""

    LATER: ClassVar = {
        "ask": "deploy.asking:ask",
        "train": "deploy.training:train",
        "evaluate": "deploy.training:evaluate",
        "models": "deploy.models:models",
        "compare": "deploy.models:compare",
        "promote": "deploy.models:promote",
        "monitor": "deploy.monitoring:monitor",
        "db": "deploy.database:database_group",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), *self.LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name in self.LATER:
            module, _, command = self.LATER[cmd_name].partition(":")
            return cast(click.Command, getattr(importlib.import_module(module), command))
        return super().get_command(ctx, cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Distil a fitness coach: make datasets, train students on them, and promote those that are good enough."""


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@placed
@workers_option
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a field: gate.min_records=10.")
@json_option
@errors_are_messages
def run(config: Path, place: Place, workers: int | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Drop CONFIG and follow its run to the gate.

    Exit status: 0 approved, 3 rejected by the gate, 2 wrong config, 1 failed, 130 interrupted.
    """
    text = _read_config(config)
    parsed = parse_config(text, overrides)
    if place.is_here:
        check_teacher(parsed)
    dropped_text = parsed.model_dump_json(indent=2).encode() if overrides else text
    with place.open(workers, new=True) as stack:
        dropped = stack.drop(f"runs/{config.name}", dropped_text)
        _follow(stack, place, dropped.run_id, parsed.shards, as_json)


@main.command()
@click.argument("run_id")
@placed
@workers_option
@click.option("--max-cost-usd", type=click.FloatRange(min=0, min_open=True), help="Raise the run's cost limit.")
@json_option
@errors_are_messages
def resume(run_id: str, place: Place, workers: int | None, max_cost_usd: float | None, as_json: bool) -> None:
    """Let a run that was killed, failed or stopped go on from where it is."""
    with place.open(workers, new=False) as stack:
        inbox = stack.runtime.inbox
        config = parse_config(inbox.read(inbox.find(run_id)))
        if place.is_here:
            check_teacher(config)
        if max_cost_usd is not None:
            run_state.raise_cost_limit(stack.runtime.documents, run_id, max_cost_usd)
        stack.resume(run_id)
        _follow(stack, place, run_id, config.shards, as_json)


@main.command()
@click.argument("run_id", required=False)
@placed
@json_option
@errors_are_messages
def runs(run_id: str | None, place: Place, as_json: bool) -> None:
    """List the runs, or show how far one has come."""
    documents = place.look()
    if run_id is None:
        records = run_state.runs(documents)
        if as_json:
            click.echo(json.dumps([record.model_dump(mode="json") for record in records], indent=2))
        elif records:
            tables.show(tables.runs_table(records))
        else:
            click.echo("no runs")
        return
    record, deliveries = run_state.run(documents, run_id), run_state.deliveries(documents, run_id)
    if as_json:
        parts = [delivery.model_dump(mode="json") for delivery in deliveries]
        click.echo(json.dumps(record.model_dump(mode="json") | {"deliveries": parts}, indent=2))
    else:
        tables.show(tables.runs_table([record]), tables.deliveries_table(deliveries))


@main.group("dead-letters")
def dead_letters_group() -> None:
    """Look after messages that a phase could not take."""


@dead_letters_group.command("list")
@placed
@json_option
@errors_are_messages
def list_letters(place: Place, as_json: bool) -> None:
    """List the dead letters, oldest first."""
    letters = dead_letters.letters(place.look())
    if as_json:
        click.echo(json.dumps([letter.model_dump(mode="json") for letter in letters], indent=2))
    elif letters:
        tables.show(tables.letters_table(letters))
    else:
        click.echo("no dead letters")


@dead_letters_group.command()
@click.argument("letter_ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Replay every dead letter.")
@placed
@workers_option
@errors_are_messages
def replay(letter_ids: tuple[str, ...], every: bool, place: Place, workers: int | None) -> None:
    """Deliver dead letters again; those that succeed are gone, the others stay with their new reason."""
    chosen = _chosen(letters=dead_letters.letters(place.look()), letter_ids=letter_ids, every=every)
    if not chosen:
        return
    with place.open(workers, new=False) as stack:
        dead = stack.replay(chosen)
    for letter in chosen:
        click.echo(f"{letter.id}  {letter.function}  {'failed again' if letter.id in dead else 'delivered'}")
    sys.exit(FAILED if dead else 0)


@dead_letters_group.command()
@click.argument("letter_ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Drop every dead letter.")
@placed
@errors_are_messages
def drop(letter_ids: tuple[str, ...], every: bool, place: Place) -> None:
    """Forget dead letters."""
    documents = place.look()
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


main.add_command(up)
main.add_command(status)
main.add_command(down)


def _read_config(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_CONFIG_BYTES + 1)
    except OSError as exc:
        raise ConfigError((f"{path}: {exc.strerror}",)) from exc


def _follow(stack: Stack, place: Place, run_id: str, shards: int, as_json: bool) -> None:
    """Show how far a run is until it has ended, then how it ended; ends the command."""
    began = time.monotonic()
    documents = stack.runtime.documents
    console = Console(stderr=True)
    console.print(f"run {run_id}", highlight=False)
    interrupted = False
    try:
        with Progress(console, topology(), documents, run_id, shards) as progress:
            stack.follow(run_id, progress.tick)
    except KeyboardInterrupt:
        interrupted = True
        if not stack.goes_on:
            reason = "interrupted from the keyboard or by a signal"
            run_state.finish(documents, run_id, "interrupted", (reason,))
    ended = outcome(stack.runtime, stack.files(run_id), run_id, time.monotonic() - began)
    if as_json:
        click.echo(ended.model_dump_json(indent=2))
    else:
        show(Console(), ended, run_state.deliveries(documents, run_id), place.options)
    sys.exit(INTERRUPTED if interrupted else ended.exit_code)


def _chosen(letters: list[DeadLetter], letter_ids: tuple[str, ...], every: bool) -> list[DeadLetter]:
    by_id = {letter.id: letter for letter in letters}
    if every == bool(letter_ids):
        raise click.UsageError("name the dead letters, or say --all")
    if unknown := [one for one in letter_ids if one not in by_id]:
        raise click.UsageError(f"there is no dead letter {', '.join(unknown)}")
    return list(by_id.values()) if every else [by_id[one] for one in letter_ids]
