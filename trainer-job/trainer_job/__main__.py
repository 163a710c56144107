"""Trainer: fine-tune a student on a run's dataset, judge it, and put it into the registry.

    python -m trainer_job job RUN_ID --recipe tiny_cpu [--set KEY=VALUE ...] [--work DIR]
    python -m trainer_job evaluate VERSION
    python -m trainer_job search RUN_ID --recipe tiny_cpu --trials 12 [--steps 150] [--set KEY=VALUE ...]

In      distillation_dataset/<run_id>/, checked against its manifest
Writes  models/<version>/, models/base/ for a tiny base, the document training/<version>; runs/<run_id>/search/
Out     model-evaluated
Exit    0    done, or found done: model-evaluated is published
        2    the recipe, the data or the machine are wrong: starting it again cannot help
        75   interrupted, or a dependency is down or full: start it again, and it goes on
"""

import argparse
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.errors import FitsenseError, Rejected
from shared.runtime import runtime
from shared.settings import Settings
from trainer_job.evaluation.command import add_command as add_evaluate
from trainer_job.recipe import Recipe, RecipeError, load_recipe

if TYPE_CHECKING:
    from trainer_job.job import Evaluate, Job
    from trainer_job.telling import Ending

DONE, WRONG, TRY_AGAIN = 0, 2, 75
_SOURCE: Final = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    # It complains at import where a kernel is missing that only CPUs would use; peft imports it in any case.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    try:
        run: Callable[[argparse.Namespace, Recipe], None] = chosen.run
        run(chosen, load_recipe(chosen.recipe, chosen.overrides))
    except RecipeError as exc:
        print("the recipe is wrong:", *exc.faults, sep="\n  · ", file=sys.stderr)
        return WRONG
    except Rejected as exc:
        print(exc, file=sys.stderr)
        return WRONG
    except FitsenseError as exc:
        print(exc, file=sys.stderr)
        return TRY_AGAIN
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer_job", description="Fine-tune a student.")
    commands = parser.add_subparsers(required=True)
    job = _command(commands.add_parser("job", help="train a student, judge it, put it into the registry"))
    job.set_defaults(run=_job)
    add_evaluate(commands)
    search = _command(commands.add_parser("search", help="find knobs that give a lower validation loss"))
    search.add_argument("--trials", type=_positive, required=True, help="trainings to try, earlier starts' included")
    search.add_argument("--steps", type=_positive, default=150, help="of each; hopeless ones end earlier")
    search.set_defaults(run=_search)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


def _command(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("run_id")
    command.add_argument("--recipe", required=True, help="a name in recipes/, or a path to a YAML file")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides", help="turn a knob of the recipe"
    )
    command.add_argument("--work", type=Path, help="for copies; emptied at each start (training/ below FITSENSE_OUT)")
    return command


def _job(chosen: argparse.Namespace, recipe: Recipe) -> None:
    # Imported here, so that a wrong command line or recipe is refused in a moment: PyTorch and all take seconds.
    from trainer_job.evaluation.entry import evaluate

    perform(chosen, recipe, evaluate)


def perform(chosen: argparse.Namespace, recipe: Recipe, evaluate: "Evaluate") -> None:
    """Do a job, judging its model by `evaluate`, and tell of it; raises what keeps the model from being made."""
    from trainer_job.job import run_job

    job = _prepared(chosen, recipe)
    with _told(job), job.interruption.heard():
        event = run_job(job, evaluate)
    shutil.rmtree(job.work, ignore_errors=True)
    job.telling.line(f"{event.version}: {event.manifest_uri}")


@contextmanager
def _told(job: "Job") -> Iterator[None]:
    """Tell how a job ended that did not come to its end."""
    from trainer_job.interruption import Interrupted

    ending: Ending | None = "failed"
    why = "an error that nobody foresaw; the job's log has it"
    try:
        yield
        ending = None
    except FitsenseError as exc:
        ending, why = "interrupted" if isinstance(exc, Interrupted) else "failed", str(exc)
        raise
    finally:
        if ending:
            job.telling.ended(ending, why)


def _search(chosen: argparse.Namespace, recipe: Recipe) -> None:
    from trainer_job.job import learner
    from trainer_job.recipe import overridden
    from trainer_job.search import search

    short = overridden(recipe, [f"max_steps={chosen.steps}"])
    job = _prepared(chosen, short)
    with job.interruption.heard():
        found = search(job.runtime.store, job.run_id, short, chosen.trials, learner(job), job.telling.line)
    job.telling.line(f"validation loss {found.loss:.4f} with {' '.join(f'--set {one}' for one in found.overrides)}")


def _prepared(chosen: argparse.Namespace, recipe: Recipe) -> "Job":
    from trainer_job.hardware import hardware
    from trainer_job.interruption import Interruption
    from trainer_job.job import Job
    from trainer_job.recipe import digest
    from trainer_job.telling import Telling
    from trainer_job.training import check_fits

    machine, around = hardware(), runtime()
    check_fits(recipe, machine)
    telling = Telling(around.documents, sys.stdout)
    telling.line(f"recipe {recipe.name} on {machine.name}")
    work = (chosen.work or around.settings.out / "training") / f"{chosen.run_id}-{digest(recipe)[:8]}"
    return Job(chosen.run_id, recipe, around, work, machine, commit(around.settings), telling, Interruption())


def commit(settings: Settings) -> str:
    """Return the commit that this code is of: an image's by its setting, a checkout's by git."""
    if settings.git_commit:
        return settings.git_commit
    asked = ["git", "-C", str(_SOURCE), "rev-parse", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


if __name__ == "__main__":
    sys.exit(main())
