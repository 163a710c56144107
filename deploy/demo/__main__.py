"""Demo: `python -m deploy.demo CONFIG`: the whole mission, from synthetic people to a plan that a student writes.

    a dataset is distilled ─► a student learns, and is judged beside its base ─► dev takes it, prod does not
    ─► vLLM serves it ─► a person signs up, gets a plan, trains, asks the coach, and has the next week adapted

Everything really happens, with the programs that serve people. `--keep` leaves them running.
"""

import sys
import time
from pathlib import Path

import click
from rich.console import Console

from deploy.demo.person import live_a_week
from deploy.demo.serving import served
from deploy.demo.student import distil, promote, say, teach
from deploy.demo.summary import Mission, show_summary
from deploy.models import read_report
from deploy.options import FAILED, errors_are_messages, out_option, workers_option
from deploy.stacks import Place
from shared.process_jobs import trainer_command


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--recipe", default="tiny_cpu", show_default=True)
@click.option("--serve/--no-serve", default=True, help="Go on with vLLM and a person, or stop at the promotion.")
@click.option("--keep", is_flag=True, envvar="KEEP", help="Leave the stack running at the end.")
@out_option
@workers_option
@errors_are_messages
def demo(config: Path, recipe: str, serve: bool, keep: bool, out: Path, workers: int | None) -> None:
    """Run CONFIG, train a student on its dataset, ask dev and prod for it, and let it write for a person.

    Exit status: 0 when dev takes the student, prod does not, and the person's plan is the student's; 1 otherwise.
    """
    began = time.monotonic()
    place, console = Place("embedded", out.absolute()), Console(stderr=True)
    with place.open(workers, new=True) as stack:
        trainer_command(stack.runtime.settings)  # before minutes of work, where it is missing
        run_id = distil(stack, place, config, console)
        version = teach(stack, run_id, recipe, console)
        report = read_report(stack.runtime, version)
        decisions = [promote(stack, version, "dev"), promote(stack, version, "prod")]
    mission = Mission(run_id=run_id, version=version, report=report, out=place.out)
    as_wanted = [one.verdict for one in decisions] == ["promoted", "rejected"]
    if serve and as_wanted:
        say("vLLM, the agent and the services, with Postgres: what promoted means for people")
        with served(place.out, version, keep) as serving:
            mission.serving = serving
            mission.week = live_a_week(serving.url, version)
        as_wanted = mission.week.plan_by == version
    mission.seconds = time.monotonic() - began
    show_summary(mission, kept=serve and keep)
    sys.exit(0 if as_wanted else FAILED)


if __name__ == "__main__":
    demo()
