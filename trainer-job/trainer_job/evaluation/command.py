"""Command: `python -m trainer_job evaluate`, as the command line has it; PyTorch is imported once it is run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from shared.eval_report import MODES

if TYPE_CHECKING:
    from trainer_job.recipe import Recipe


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to a program's."""
    told = "judge a registered version, or an adapter in a folder"
    command = commands.add_parser("evaluate", help=told, description=told)
    command.add_argument("version", nargs="?", help="a version in the registry")
    command.add_argument("--adapter", type=Path, help="a folder with an adapter that is no version")
    command.add_argument("--run", dest="run_id", help="with --adapter: the run whose dataset it was trained on")
    command.add_argument("--recipe", default="tiny_cpu", help="with --adapter: the recipe, for base and context")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    command.add_argument("--test", type=int, default=100, help="messages of the test split (100)")
    command.add_argument("--fresh", type=int, default=100, help="messages of people in no dataset (100)")
    command.add_argument("--seed", type=int, default=990001, help="which messages; tune on one, report on another")
    command.add_argument("--modes", nargs="+", choices=MODES, default=MODES, help="ways of decoding")
    command.add_argument("--min-slice-size", type=int, default=30, help="rates on fewer are not judged (30)")
    command.add_argument("--robustness", action="store_true", help="also ask with prompts that are made worse")
    command.add_argument("--alone", action="store_true", help="do not compare with what is served")
    command.add_argument("--batch", type=int, default=96, help="answers side by side (96)")
    command.add_argument("--into", type=Path, default=Path("out/evaluation"), help="for report, page and card")
    command.add_argument("--work", type=Path, default=Path("out/evaluation/work"), help="for copies")
    command.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, recipe: "Recipe") -> None:
    from trainer_job.evaluation.entry import run

    run(chosen, recipe)
