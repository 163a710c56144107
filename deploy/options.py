"""Options: what the commands of `fitsense` have in common: options, and how errors end them."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from deploy.interrupts import EXIT as INTERRUPTED
from deploy.interrupts import interruptible
from shared.config_text import ConfigError
from shared.errors import FitsenseError

FAILED, WRONG_INPUT = 1, 2

P = ParamSpec("P")
R = TypeVar("R")

out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    envvar="FITSENSE_OUT",
    show_envvar=True,
    show_default=True,
    help="Directory that holds runs, datasets and reports.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=None,
    help="Worker processes of the embedded stack.  [default: one a core]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")


def errors_are_messages(command: Callable[P, R]) -> Callable[P, R]:
    """End a command with one line on standard error for what this project raises on purpose."""

    @wraps(command)
    def around(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with interruptible():
                return command(*args, **kwargs)
        except ConfigError as exc:
            for fault in exc.faults:
                click.echo(f"error: {fault}", err=True)
            sys.exit(WRONG_INPUT)
        except FitsenseError as exc:
            click.echo(f"error: {exc}", err=True)
            sys.exit(FAILED)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    return around
