"""Inquest: how a job ended, by asking whoever ran it."""

import logging

from shared import jobs
from shared.errors import NotFound, Unavailable
from shared.events import JobEnded, TrainingEnded
from shared.phase import Run

log = logging.getLogger("fitsense.job_ended")


def inquest(event: JobEnded, run: Run) -> TrainingEnded | None:
    """Return how a job ended; None of one that was started again meanwhile, whose next end will be told too."""
    spec = jobs.noted(run.documents, event.job)
    state = run.runtime.launchers()[spec.target].state(spec.name)
    if state is None:
        raise NotFound(f"{spec.target} knows no job {spec.name}")
    if state.outcome is None and state.attempts > 1:
        return None
    if state.outcome is None:
        raise Unavailable(f"job {spec.name} still runs")
    log.info("job ended", extra={"job": spec.name, "outcome": state.outcome, "reason": state.reason})
    return TrainingEnded(
        run_id=run.run_id,
        version=jobs.version_of_job(run.documents, spec),
        job=spec.name,
        outcome=state.outcome,
        reason=state.reason,
    )
