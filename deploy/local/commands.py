"""Commands: `fitsense up`, `status` and `down`."""

import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from deploy.options import FAILED, errors_are_messages, json_option, out_option, workers_option

if TYPE_CHECKING:  # imported by the commands that need them: others start in less time than these take to import
    from deploy.local.stack import LocalStack
    from deploy.local.state import LocalStackName

stack_option = click.option(
    "--stack",
    type=click.Choice(("embedded", "emulators")),
    default="embedded",
    show_default=True,
    envvar="FITSENSE_STACK",
    show_envvar=True,
    help="Everything in one process and a directory, or Google's emulators with each function a process of its own.",
)


@click.command()
@stack_option
@out_option
@workers_option
@click.option("--port", type=click.IntRange(1, 65_535), help="Of the services' base URL; a free one by default.")
@click.option("--model", is_flag=True, help="With vLLM on this machine's processor, for what is promoted to dev.")
@click.option("--reload", is_flag=True, help="Start processes anew when a file is saved that they run.")
@click.option("--detach", is_flag=True, help="Return once everything serves; `fitsense down` stops it.")
@errors_are_messages
def up(
    stack: "LocalStackName", out: Path, workers: int | None, port: int | None, model: bool, reload: bool, detach: bool
) -> None:
    """Start a stack on this machine, with Postgres and the services, and keep it running until Ctrl-C.

    Its log goes to standard error, and to files below OUT/.stack/log. Standard output gets lines for the shell
    that say where everything is: eval "$(fitsense up --detach)".
    """
    if detach:
        options = {"workers": workers, "port": port, "model": model, "reload": reload}
        from deploy.local import state
        from deploy.local.detached import start_detached

        began = time.monotonic()
        started = start_detached(stack, out.absolute(), options)
        _tell_where(stack, out.absolute(), started.environment)
        log = state.folder(out.absolute()) / "log" / "up.log"
        click.echo(f"everything serves, after {time.monotonic() - began:.1f} s; its log is {log}", err=True)
        return
    from deploy.local.merged_log import StreamConsole
    from deploy.local.stack import local_stack
    from deploy.preflight import usable_cores

    began, never = time.monotonic(), threading.Event()
    console = StreamConsole(stderr=True)
    made = local_stack(
        out,
        stack=stack,
        postgres=True,
        workers=workers or usable_cores(),
        public_port=port,
        model=model,
        console=console,
    )
    with made as kept, _reloading(kept, reload):
        _tell_where(stack, out, kept.environment)
        click.echo(f"everything serves, after {time.monotonic() - began:.1f} s; Ctrl-C stops it", err=True)
        while not never.wait(1.0):  # a signal that another thread received is noticed here only between waits
            pass


@click.command()
@out_option
@json_option
@errors_are_messages
def status(out: Path, as_json: bool) -> None:
    """Show what runs of the stack on OUT. Exit status: 0 all of it, 1 not."""
    from deploy.local import overview, state

    seen = overview.look(state.read(out), time.time())
    if as_json:
        click.echo(seen.model_dump_json(indent=2))
    else:
        overview.show(seen, out)
    sys.exit(0 if seen.serves else FAILED)


@click.command()
@out_option
@errors_are_messages
def down(out: Path) -> None:
    """Stop the stack on OUT, from any terminal."""
    from deploy.local.detached import stop_detached

    click.echo(stop_detached(out))


def _reloading(stack: "LocalStack", wanted: bool) -> AbstractContextManager[None]:
    if not wanted:
        return nullcontext()
    from deploy.local.components import ROOT
    from deploy.local.reloading import reloading

    return reloading(stack, ROOT)


def _tell_where(stack: "LocalStackName", out: Path, environment: dict[str, str]) -> None:
    """Print how clients find the stack, and how to start a run on it, as lines for a shell."""
    for name, value in environment.items():
        click.echo(f"export {name}={quote(value)}")
    if stack == "embedded":
        ways = [f"cp deploy/runs/small.yaml {quote(str(out / 'inbox'))}/"]
    else:
        bucket = environment["FITSENSE_CONFIG_BUCKET"]
        ways = [
            f"gcloud storage cp deploy/runs/small.yaml gs://{bucket}/runs/",
            f"fitsense run deploy/runs/small.yaml --stack emulators --out {quote(str(out))}",
        ]
    click.echo("# a run begins when its config is dropped:")
    for way in ways:
        click.echo(f"#   {way}")
    click.echo(
        f"# the services are at {environment['FITSENSE_URL']}, to be read about below /v1/docs/profile, plan, logging"
    )
    sys.stdout.flush()
