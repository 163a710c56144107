"""Stand-in job: takes the trainer's command line and ends as an override says; for tests of what launches jobs.

Each start adds a line with its pid to FOLDER/<job>, where FOLDER is the variable STAND_IN_FOLDER.
"""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.eval_report import Example


def main(arguments: list[str]) -> int:
    """End as told: `succeed`, `fail`, `interrupted`, `hang`, `make` a model, or hang the first time and then make one.

    `twice` hangs the first time, and then succeeds.
    """
    marks = Path(os.environ["STAND_IN_FOLDER"]) / os.environ["FITSENSE_JOB"]
    with marks.open("a") as file:
        file.write(f"{os.getpid()}\n")
    print("a job that stands in for the trainer:", *arguments, flush=True)
    told = (argument.partition("=")[2] for argument in arguments if argument.startswith("do="))
    behaviour = next(told, os.environ.get("STAND_IN_BEHAVIOUR", "succeed"))
    first = len(marks.read_text().splitlines()) == 1
    if "make" in behaviour:
        tell_version(arguments[1], arguments[3])
    if behaviour == "hang" or (behaviour in ("twice", "make-later") and first):
        time.sleep(600)
    if "make" in behaviour:
        make(arguments[1], arguments[3])
    return {"fail": 3, "interrupted": 75}.get(behaviour, 0)


def tell_version(run_id: str, recipe: str) -> None:
    """Write the document that the trainer writes."""
    from shared.documents import update
    from shared.registry import version_of
    from shared.runtime import runtime

    told = {"job": os.environ["FITSENSE_JOB"], "status": "running", "stage": "training", "step": 3, "steps": 9}
    update(runtime().documents, f"training/{version_of(run_id, recipe, 'tiny')}", lambda data: data | told)


def make(run_id: str, recipe: str) -> None:
    """Write a model and publish that it is there, as the trainer does."""
    from shared.event import run_of
    from shared.events import ModelEvaluated
    from shared.registry import version_of
    from shared.runtime import runtime
    from tests.eval_reports import an_eval_report
    from tests.models import put_model

    version, around = version_of(run_id, recipe, "tiny"), runtime()
    report = an_eval_report(version).model_copy(update={"examples": (a_plan(),)}).model_dump_json().encode()
    manifest = put_model(around.store, recipe, report, run_id)
    around.bus.publish(ModelEvaluated(run_id=run_of(version), version=version, manifest_uri=manifest.artifact_uri))
    around.bus.flush()


def a_plan() -> "Example":
    """Return a plan to read, as an evaluation keeps it."""
    from shared.coach.plan import PlanAnswer
    from shared.coach.planner import make_plan
    from shared.coach.profile import slice_tags
    from shared.coach.wire import encode
    from shared.eval_report import Example, Spoken
    from tests.people import person

    who = person(days_per_week=2)
    answer = encode(PlanAnswer(escalation="none", plan=make_plan(who), explanation="Short and simple."))
    return Example(
        kind="plan",
        query_id="q",
        prompt_type="plan_creation",
        mode="grammar",
        slice_tags=slice_tags(who),
        instruction="Make me a plan.",
        answers={"student": Spoken(text=answer, findings=())},
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
