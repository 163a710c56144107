"""Launch: from a request to a job that runs. Asked again, it finds the job running or done."""

import logging

from shared import jobs
from shared.errors import NotFound
from shared.events import TrainRequested
from shared.paths import dataset_file
from shared.phase import Run

log = logging.getLogger("fitsense.train")


def launch(event: TrainRequested, run: Run) -> None:
    """Start the job that a request asks for, unless it runs or has succeeded."""
    if not run.store.exists(dataset_file(run.run_id, "manifest.json")):
        raise NotFound(f"run {run.run_id} has no dataset to train on")
    launchers = run.runtime.launchers()
    spec = jobs.spec_of(event, launchers)
    # Noted first: the end of a job that nobody knows of could not be told.
    jobs.note(run.documents, spec)
    started = launchers[spec.target].start(spec)
    log.info("started" if started else "runs or is done already", extra={"job": spec.name, "target": spec.target})
