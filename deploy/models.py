"""Models: `fitsense models`, `compare` and `promote`."""

import getpass
import json
import sys
import time
import uuid

import click
from pydantic import ValidationError
from rich.console import Console

from deploy import model_tables, tables
from deploy.options import errors_are_messages, json_option, workers_option
from deploy.placing import placed
from deploy.stacks import Place, Stack
from functions.promotion.decide import decision_id
from shared import dead_letters, registry
from shared.errors import NotFound, Unavailable
from shared.eval_report import EvalReport
from shared.event import run_of
from shared.events import PromoteRequested
from shared.registry import ENVIRONMENTS, Decision
from shared.runtime import Runtime

REJECTED = 3
DECIDED_S = 300.0
"""How long somebody waits for a decision: as many hashes as there are files have to be computed."""


@click.command()
@click.argument("version", required=False)
@placed
@json_option
@errors_are_messages
def models(version: str | None, place: Place, as_json: bool) -> None:
    """List the models, or show what is known of one."""
    around = place.look_around()
    documents = around.documents
    decisions = registry.decisions(documents)
    pointers = {name: registry.pointer(documents, name)[0] for name in ENVIRONMENTS}
    if version is None:
        records = registry.models(documents)
        if as_json:
            listed = [one.model_dump(mode="json") for one in records]
            serving = {name: one.model_dump(mode="json") for name, one in pointers.items() if one}
            click.echo(json.dumps({"models": listed, "environments": serving}, indent=2))
        elif records:
            tables.show(model_tables.models_table(records, pointers))
        else:
            click.echo("no models")
        return
    record, report = registry.model(documents, version), read_report(around, version)
    own = [one for one in decisions if one.version == version]
    if as_json:
        told = {"decisions": [one.model_dump(mode="json") for one in own], "report": report.model_dump(mode="json")}
        click.echo(json.dumps(record.model_dump(mode="json") | told, indent=2))
    else:
        parts = [model_tables.models_table([record], pointers), model_tables.rates_table(report)]
        tables.show(*parts, *([model_tables.decisions_table(own)] if own else []))


@click.command()
@click.argument("first")
@click.argument("second")
@placed
@json_option
@errors_are_messages
def compare(first: str, second: str, place: Place, as_json: bool) -> None:
    """Hold two models' evaluations against each other: SECOND's rates minus FIRST's."""
    around = place.look_around()
    reports = [read_report(around, version) for version in (first, second)]
    rows = model_tables.differences(*reports)
    if as_json:
        click.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
    else:
        tables.show(model_tables.differences_table(rows))


@click.command()
@click.argument("version")
@click.option("--environment", type=click.Choice(ENVIRONMENTS), required=True, help="Which one is to serve it.")
@click.option("--percent", type=click.IntRange(1, 100), default=100, show_default=True, help="Of the requests.")
@click.option("--force", is_flag=True, help="Overrule every objection but wrong files; that is recorded.")
@click.option("--reason", default="", help="Why; kept with the decision.")
@click.option("--actor", default=None, help="Who wants it.  [default: you]")
@placed
@workers_option
@json_option
@errors_are_messages
def promote(
    version: str, environment: str, percent: int, force: bool, reason: str, actor: str | None,
    place: Place, workers: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Let VERSION serve an environment, if it may; an older version is a rollback.

    Exit status: 0 promoted, 3 rejected, 2 wrong input, 1 failed.
    """
    asked = {"run_id": run_of(version), "version": version, "environment": environment, "percent": percent}
    who = {"actor": actor or getpass.getuser(), "reason": reason, "force": force, "request_id": str(uuid.uuid4())}
    try:
        request = PromoteRequested.model_validate(asked | who)
    except ValidationError as exc:
        raise click.BadParameter(f"{version!r} is no model version", param_hint="VERSION") from exc
    with place.open(workers, new=False) as stack:
        decision = decided(stack, request)
    if as_json:
        click.echo(decision.model_dump_json(indent=2))
    else:
        show_decision(Console(), decision)
    sys.exit(0 if decision.verdict == "promoted" else REJECTED)


def decided(stack: Stack, request: PromoteRequested) -> Decision:
    """Ask for a promotion, and return what was decided; raises Unavailable where nothing is for long."""
    documents, wanted, found = stack.runtime.documents, decision_id(request), None
    deadline = time.monotonic() + DECIDED_S
    stack.publish(request)

    def over() -> bool:
        nonlocal found
        found = registry.decision(documents, wanted)
        if found is not None and found.settled:
            return True
        for letter in dead_letters.letters(documents):
            if letter.data_base64 and letter.message().data == request.data():
                raise Unavailable(f"the promotion could not be decided: {letter.error}")
        return time.monotonic() > deadline

    stack.work_until(over, lambda: None)
    stack.work_off(lambda: None)
    if found is None or not found.settled:
        raise Unavailable(f"nothing was decided within {DECIDED_S:g} s")
    return found


def show_decision(console: Console, decision: Decision) -> None:
    """Print a decision with every reason."""
    style = "bold green" if decision.verdict == "promoted" else "bold yellow"
    share = "" if decision.percent == 100 else f", {decision.percent} % of its requests"
    where = f"{decision.environment}{share}"
    console.print(f"[{style}]{decision.verdict}[/]  {decision.version} → {where}", soft_wrap=True, highlight=False)
    for reason in decision.reasons:
        mark = "overruled: " if decision.verdict == "promoted" else ""
        console.print(f"  · {mark}{reason}", soft_wrap=True, highlight=False)
    console.print(f"Decision {decision.id}, asked for by {decision.actor}", soft_wrap=True, highlight=False)


def read_report(around: Runtime, version: str) -> EvalReport:
    """Return a registered version's evaluation; raises NotFound."""
    registry.model(around.documents, version)
    data = around.store.read(registry.model_file(version, registry.EVAL_REPORT))
    try:
        return EvalReport.model_validate_json(data)
    except ValidationError as exc:
        raise NotFound(f"the evaluation of {version} cannot be read: {exc.error_count()} fields are wrong") from exc
