"""Training: `fitsense train` and `fitsense evaluate`."""

import subprocess
import sys
import time
from datetime import UTC, datetime

import click
from pydantic import ValidationError
from rich.console import Console

from deploy.interrupts import EXIT as INTERRUPTED
from deploy.options import FAILED, errors_are_messages, json_option, workers_option
from deploy.placing import placed
from deploy.stacks import Place, Stack
from deploy.training_progress import TrainingProgress
from shared import dead_letters, jobs, registry
from shared.errors import NotFound, Rejected
from shared.event import faults
from shared.events import TrainRequested
from shared.frozen import Frozen
from shared.jobs import JobSpec, JobState
from shared.paths import dataset_file
from shared.process_jobs import TRAINER, trainer_command
from shared.settings import environment


class TrainingOutcome(Frozen):
    """What `fitsense train --json` prints."""

    run_id: str
    job: str
    target: str
    status: str
    """`started`, or with --follow how it ended."""
    reason: str
    version: str | None
    registered: bool
    seconds: float


@click.command()
@click.argument("run_id")
@click.option("--recipe", required=True, help="A name in trainer-job/recipes.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Turn a knob of the recipe: epochs=2.")
@click.option("--target", type=click.Choice(["subprocess", "cloud_run", "batch"]), help="Where the job runs.")
@click.option("--follow", is_flag=True, help="Stay until the model is registered; Ctrl-C leaves the job running.")
@placed
@workers_option
@json_option
@errors_are_messages
def train(
    run_id: str, recipe: str, overrides: tuple[str, ...], target: str | None, follow: bool,
    place: Place, workers: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Train a student on the dataset of RUN_ID; asked twice, it is one job.

    Exit status: 0 started, or with --follow registered, 1 failed, 2 wrong recipe, 130 interrupted.
    """
    with place.open(workers, new=False) as stack:
        event = _request(stack, place, run_id, recipe, overrides, target)
        ended = follow_training(stack, event, follow, Console(stderr=True))
    if as_json:
        click.echo(ended.model_dump_json(indent=2))
    else:
        _show(ended, place)
    sys.exit(exit_code(ended))


@click.command()
@click.argument("version")
@click.argument("arguments", nargs=-1)
@placed
@errors_are_messages
def evaluate(version: str, arguments: tuple[str, ...], place: Place) -> None:
    """Evaluate VERSION anew with the trainer's environment; what follows -- goes to the trainer.

    The report of a registered version stays as it is, as its manifest vouches for it.
    """
    around = place.look_around()
    registry.read_manifest(around.store, version)
    command = (*trainer_command(around.settings), "evaluate", version, *arguments)
    told = {"FITSENSE_OUT": str(place.out.absolute()), "FITSENSE_STACK": place.stack}
    path = {"PYTHONPATH": f"{TRAINER.parent}:{TRAINER}"}
    sys.exit(subprocess.run(command, env=environment() | told | path, check=False).returncode)  # noqa: S603


def follow_training(stack: Stack, event: TrainRequested, to_the_end: bool, console: Console) -> TrainingOutcome:
    """Ask for a training and return how far it came: to its start, or to the end with what follows registered."""
    began = time.monotonic()
    spec = jobs.spec_of(event, stack.runtime.launchers())
    launcher = stack.runtime.launchers()[spec.target]
    before, asked_at = launcher.state(spec.name), datetime.now(UTC)
    stack.publish(event)
    console.print(f"job {spec.name}", highlight=False)
    state: JobState | None = None
    interrupted = False

    def over() -> bool:
        nonlocal state
        state = launcher.state(spec.name)
        if state is None or (state == before and state.outcome not in (None, "succeeded")):
            return _died(stack, spec, "train", asked_at) is not None
        return not to_the_end or is_settled(state)

    def is_settled(state: JobState) -> bool:
        if state.outcome != "succeeded":
            return state.status == "ended"
        version = jobs.version_of_job(stack.runtime.documents, spec)
        return _is_registered(stack, version) or _died(stack, spec, "register", asked_at) is not None

    try:
        with TrainingProgress(console, stack.runtime.documents, spec) as progress:
            stack.work_until(over, progress.tick if to_the_end else lambda: None)
            stack.work_off(lambda: None)
    except KeyboardInterrupt:
        interrupted = True
    version = jobs.version_of_job(stack.runtime.documents, spec)
    status, reason = _status(state, to_the_end)
    why = _died(stack, spec, "train", asked_at) or _died(stack, spec, "register", asked_at)
    return TrainingOutcome(
        run_id=spec.run_id,
        job=spec.name,
        target=spec.target,
        status="interrupted" if interrupted else status,
        reason=why or reason,
        version=version,
        registered=_is_registered(stack, version),
        seconds=round(time.monotonic() - began, 1),
    )


def exit_code(ended: TrainingOutcome) -> int:
    """Return the exit status that tells how a training went."""
    if ended.status == "interrupted":
        return INTERRUPTED
    return 0 if ended.status == "started" or (ended.status == "succeeded" and ended.registered) else FAILED


def _request(
    stack: Stack, place: Place, run_id: str, recipe: str, overrides: tuple[str, ...], target: str | None
) -> TrainRequested:
    known = sorted(path.stem for path in (TRAINER / "recipes").glob("*.yaml"))
    if recipe not in known:
        raise click.BadParameter(f"there is no recipe {recipe!r}; there are {', '.join(known)}", param_hint="--recipe")
    fields = {"run_id": run_id, "recipe": recipe, "overrides": overrides, "target": target}
    try:
        event = TrainRequested.model_validate(fields)
    except ValidationError as exc:
        raise click.UsageError(faults(exc)) from exc
    if not stack.runtime.store.exists(dataset_file(run_id, "manifest.json")):
        raise NotFound(f"run {run_id} has no dataset to train on")
    if place.is_here:
        trainer_command(stack.runtime.settings)
    return event


def _died(stack: Stack, spec: JobSpec, function: str, since: datetime) -> str | None:
    """Return why a function could not take a message about a job's run; None where none died since then."""
    for letter in dead_letters.letters(stack.runtime.documents):
        if letter.run_id == spec.run_id and letter.function == function and letter.buried_at >= since:
            return letter.error
    return None


def _is_registered(stack: Stack, version: str | None) -> bool:
    try:
        return version is not None and registry.model(stack.runtime.documents, version) is not None
    except Rejected:
        return False


def _status(state: JobState | None, to_the_end: bool) -> tuple[str, str]:
    if state is None:
        return "failed", "it was not started"
    if state.outcome is None:
        return "started", ""
    return (state.outcome, state.reason) if to_the_end or state.outcome != "succeeded" else ("started", "")


def _show(ended: TrainingOutcome, place: Place) -> None:
    console = Console()
    style = {"succeeded": "bold green", "started": "bold cyan"}.get(ended.status, "bold red")
    console.print(f"[{style}]{ended.status}[/]  job {ended.job}", soft_wrap=True, highlight=False)
    if ended.reason:
        console.print(f"  · {ended.reason}", soft_wrap=True, highlight=False)
    if place.stack == "embedded":
        console.print(f"Log      {place.out.absolute()}/jobs/{ended.job}/log", soft_wrap=True, highlight=False)
    if ended.version:
        known = "registered" if ended.registered else "not registered"
        console.print(f"Model    {ended.version}  ({known})", soft_wrap=True, highlight=False)
    if ended.registered:
        command = f"fitsense promote {ended.version} --environment dev {place.options}"
        console.print(f"Promote  {command}", soft_wrap=True, highlight=False)
