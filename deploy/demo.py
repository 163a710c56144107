"""Demo: `python -m deploy.demo`: from synthetic people to a student that serves dev, and that prod turns down.

Everything really happens: a dataset is distilled, the tiny student learns from it in a job of its own, is judged
on people and messages that no dataset holds, and both promotions are asked of the gate that production has.
"""

import sys
import time
import uuid
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from deploy import outcome
from deploy.interrupts import EXIT as INTERRUPTED
from deploy.models import decided, read_report, show_decision
from deploy.options import FAILED, errors_are_messages, out_option, workers_option
from deploy.progress import Progress
from deploy.stacks import Place, Stack
from deploy.tables import plain, show
from deploy.topology import topology
from deploy.training import exit_code, follow_training
from shared import run_state
from shared.coach.catalogue import EXERCISES
from shared.coach.plan import PlanAnswer
from shared.coach.wire import WireError, decode
from shared.config_text import parse_config
from shared.errors import Unavailable
from shared.eval_report import EvalReport, Example, Metric, Mode, Rate
from shared.events import Environment, PromoteRequested, TrainRequested
from shared.process_jobs import trainer_command
from shared.registry import Decision

PLANS = 3
METRICS_SHOWN: tuple[Metric, ...] = ("strict_plan", "safe")
ASKED_INTO: tuple[Environment, ...] = ("dev", "prod")


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--recipe", default="tiny_cpu", show_default=True)
@out_option
@workers_option
@errors_are_messages
def demo(config: Path, recipe: str, out: Path, workers: int | None) -> None:
    """Run CONFIG, train a student on its dataset, promote it to dev, and ask for prod.

    Exit status: 0 when dev takes the student and prod does not, 1 where anything else comes of it.
    """
    place, began, console = Place("embedded", out), time.monotonic(), Console(stderr=True)
    with place.open(workers, new=True) as stack:
        trainer_command(stack.runtime.settings)  # before minutes of work, where it is missing
        run_id = _dataset(stack, place, config, console)
        version = _student(stack, run_id, recipe, console)
        report = read_report(stack.runtime, version)
        show(strength_table(report))
        for example in [one for one in report.examples if one.kind == "plan"][:PLANS]:
            show_plan(Console(), example)
        _say("4", "the student into dev, and into prod")
        decisions = [_promote(stack, version, environment) for environment in ASKED_INTO]
    _say("", f"done after {time.monotonic() - began:.0f} s: fitsense models {version} {place.options}")
    sys.exit(0 if [one.verdict for one in decisions] == ["promoted", "rejected"] else FAILED)


def strength_table(report: EvalReport) -> Table:
    """Return how the student does beside its base, with 95 % intervals."""
    table = plain(f"{report.prompts.get('fresh', 0)} fresh people, 95 % interval", "base", "student")
    rows: tuple[tuple[str, Mode], ...] = (("generic schema", "schema"), ("the person's grammar", "grammar"))
    for words, mode in rows:
        for metric in METRICS_SHOWN:
            base = _base_rate(report, mode, metric)
            table.add_row(f"{metric.replace('_', ' ')}, {words}", _rate(base), _rate(report.rate(mode, metric)))
    return table


def _base_rate(report: EvalReport, mode: Mode, metric: Metric) -> Rate | None:
    modes = report.base.modes if report.base else {}
    return modes[mode].overall.rates.get(metric) if mode in modes else None


def show_plan(console: Console, example: Example) -> None:
    """Print what a person wrote and the plan that the student made of it."""
    console.rule(f"a plan, decoded by {example.mode}", align="left", style="dim")
    tags = example.slice_tags
    about = f"{tags.sex}, {tags.age_band}, {tags.goal_type}, {tags.activity_level}, condition: {tags.condition_flag}"
    console.print(about, style="dim", highlight=False)
    spoken = example.answers["student"]
    try:
        answer = decode(spoken.text, example.prompt_type)
    except WireError as exc:
        console.print(f"it cannot be read: {exc}", highlight=False)
        return
    if isinstance(answer, PlanAnswer) and answer.plan:
        for day in answer.plan.days:
            console.print(f"[bold]{day.weekday.title()}[/]  {day.name}", highlight=False)
            for line in day.exercises:
                name = EXERCISES[line.exercise].name
                text = f"     {line.sets} × {line.reps:<3} {name}  (RIR {line.rir}, rest {line.rest_s} s)"
                console.print(text, highlight=False)
    for finding in spoken.findings or ("the checker finds nothing wrong",):
        console.print(f"  · {finding}", style="dim", highlight=False)


def _dataset(stack: Stack, place: Place, config: Path, console: Console) -> str:
    text, began = config.read_bytes(), time.monotonic()
    parsed = parse_config(text)
    _say("1", f"a dataset from {parsed.users} synthetic people")
    run_id = stack.drop(f"runs/{config.name}", text).run_id
    documents = stack.runtime.documents
    with Progress(console, topology(), documents, run_id, parsed.shards) as progress:
        stack.follow(run_id, progress.tick)
    ended = outcome.outcome(stack.runtime, stack.files(run_id), run_id, time.monotonic() - began)
    outcome.show(Console(), ended, run_state.deliveries(documents, run_id), place.options)
    if ended.exit_code:
        sys.exit(ended.exit_code)
    return run_id


def _student(stack: Stack, run_id: str, recipe: str, console: Console) -> str:
    _say("2", f"a student, trained by recipe {recipe} and judged")
    ended = follow_training(stack, TrainRequested(run_id=run_id, recipe=recipe), True, console)
    if ended.status == "interrupted":
        sys.exit(INTERRUPTED)
    if exit_code(ended) or ended.version is None:
        raise Unavailable(f"no student came of it: {ended.status}: {ended.reason}; see jobs/{ended.job}/log")
    _say("3", f"{ended.version}, after {ended.seconds:.0f} s")
    return ended.version


def _promote(stack: Stack, version: str, environment: Environment) -> Decision:
    run_id = version.rpartition("-")[0]
    request = PromoteRequested(
        run_id=run_id, version=version, environment=environment, actor="demo", reason="make demo-student",
        request_id=str(uuid.uuid4()),
    )  # fmt: skip
    decision = decided(stack, request)
    show_decision(Console(), decision)
    return decision


def _rate(rate: Rate | None) -> str:
    return f"{rate.rate:.2f}  [{rate.low:.2f}, {rate.high:.2f}]" if rate else ""


def _say(number: str, what: str) -> None:
    console = Console()
    console.print(f"\n[bold cyan]{number}[/]  {what}" if number else f"\n{what}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    demo()
