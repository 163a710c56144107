"""Placing: the options by which every command of `fitsense` is told where runs and models are."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TypeVar, get_args

import click

from deploy.options import out_option
from deploy.stacks import Place
from shared.settings import Stack as StackName

R = TypeVar("R")


def placed(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options --out and --stack, and hand it both as one `place`."""

    @out_option
    @click.option(
        "--stack",
        type=click.Choice(get_args(StackName)),
        default="embedded",
        envvar="FITSENSE_STACK",
        show_default=True,
        show_envvar=True,
        help="Where runs happen: in this process, on Google's emulators on this machine, or in the cloud.",
    )
    @wraps(command)
    def around(*args: object, out: Path, stack: StackName, **options: object) -> R:
        return command(*args, place=Place(stack, out), **options)

    return around
