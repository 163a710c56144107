"""Student: the demo's first part: a dataset, a student that is judged on it, and two environments it is asked into.

The student learns in a job of its own, is judged on people and messages that no dataset holds, and both promotions
are asked of the gate that production has.
"""

import sys
import time
import uuid
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy import outcome
from deploy.interrupts import EXIT as INTERRUPTED
from deploy.models import decided, read_report, show_decision
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
from shared.registry import Decision

PLANS = 3
WAYS: dict[str, Mode] = {"generic schema": "schema", "the person's grammar": "grammar"}
METRICS_SHOWN: tuple[Metric, ...] = ("strict_plan", "safe")


def strength_table(report: EvalReport) -> Table:
    """Return how the student does beside its base, with 95 % intervals."""
    table = plain(f"{report.prompts.get('fresh', 0)} fresh people, 95 % interval", "base", "student")
    for words, mode in WAYS.items():
        for metric in METRICS_SHOWN:
            base = base_rate(report, mode, metric)
            table.add_row(f"{metric.replace('_', ' ')}, {words}", rate_text(base), rate_text(report.rate(mode, metric)))
    return table


def base_rate(report: EvalReport, mode: Mode, metric: Metric) -> Rate | None:
    """Return a rate of the base, where it was asked."""
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


def distil(stack: Stack, place: Place, config: Path, console: Console) -> str:
    """Make a dataset of a config; returns its run. Ends the program where it is not approved."""
    text, began = config.read_bytes(), time.monotonic()
    parsed = parse_config(text)
    say(f"a dataset from {parsed.users} synthetic people")
    run_id = stack.drop(f"runs/{config.name}", text).run_id
    documents = stack.runtime.documents
    with Progress(console, topology(), documents, run_id, parsed.shards) as progress:
        stack.follow(run_id, progress.tick)
    ended = outcome.outcome(stack.runtime, stack.files(run_id), run_id, time.monotonic() - began)
    outcome.show(Console(), ended, run_state.deliveries(documents, run_id), place.options)
    if ended.exit_code:
        sys.exit(ended.exit_code)
    return run_id


def teach(stack: Stack, run_id: str, recipe: str, console: Console) -> str:
    """Train a student and judge it; returns its version. Raises Unavailable where no student comes of it."""
    say(f"a student, trained by recipe {recipe} and judged; the first one on this dataset makes its base too")
    ended = follow_training(stack, TrainRequested(run_id=run_id, recipe=recipe), True, console)
    if ended.status == "interrupted":
        sys.exit(INTERRUPTED)
    if exit_code(ended) or ended.version is None:
        raise Unavailable(f"no student came of it: {ended.status}: {ended.reason}; see jobs/{ended.job}/log")
    report = read_report(stack.runtime, ended.version)
    say(f"{ended.version}, after {ended.seconds:.0f} s")
    show(strength_table(report))
    for example in [one for one in report.examples if one.kind == "plan"][:PLANS]:
        show_plan(Console(), example)
    return ended.version


def promote(stack: Stack, version: str, environment: Environment) -> Decision:
    """Ask for a promotion, as `fitsense promote` does, and show what is decided."""
    say(f"the student into {environment}")
    run_id = version.rpartition("-")[0]
    request = PromoteRequested(
        run_id=run_id, version=version, environment=environment, actor="demo", reason="make demo",
        request_id=str(uuid.uuid4()),
    )  # fmt: skip
    decision = decided(stack, request)
    show_decision(Console(), decision)
    return decision


def rate_text(rate: Rate | None) -> str:
    """Return a rate with its 95 % interval; nothing where it was not judged."""
    return f"{rate.rate:.2f}  [{rate.low:.2f}, {rate.high:.2f}]" if rate else ""


def say(what: str) -> None:
    """Print the heading of a part."""
    Console().print(f"\n[bold cyan]▸[/] {what}", highlight=False, soft_wrap=True)
