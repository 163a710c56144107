"""Jobs: trainings that run by themselves, somewhere, for longer than whoever starts them.

The port is `JobLauncher`. A job is named after its run and recipe, so that starting it twice is one job; one
that has not succeeded may be started again and goes on from its checkpoints. However it ends, a job-ended
message is published, by the launcher or by the service that runs it.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal, Protocol

from shared.documents import Documents, need
from shared.errors import Rejected
from shared.events import JobOutcome, Target, TrainRequested
from shared.frozen import Frozen
from shared.job_reports import JOB_VARIABLE, job_name

TRY_AGAIN_STATUS = 75
"""The exit status of a job that was interrupted or lacked something, and may be started again."""


class JobSpec(Frozen):
    """A training to run."""

    name: str
    run_id: str
    recipe: str
    overrides: tuple[str, ...]
    target: Target

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the trainer is told on its command line."""
        turned = (part for override in self.overrides for part in ("--set", override))
        return ("job", self.run_id, "--recipe", self.recipe, *turned)

    @property
    def environment(self) -> dict[str, str]:
        """What the trainer is told by its environment, beside where its stack is."""
        return {JOB_VARIABLE: self.name}


class JobState(Frozen):
    """How a job stands. Of one that was started again, its last attempt."""

    status: Literal["running", "ended"]
    outcome: JobOutcome | None = None
    """Of one that has ended."""
    reason: str = ""
    attempts: int = 1


class JobLauncher(Protocol):
    """Where jobs run. Every method raises Unavailable where that cannot be reached."""

    def start(self, spec: JobSpec) -> bool:
        """Start a job; return False where it is under way or has succeeded, whoever started it."""

    def state(self, name: str) -> JobState | None:
        """Return how a job stands; None where it was never started here."""


Launchers = Mapping[Target, JobLauncher]
"""Where jobs may run on a stack; the first is where they do if nothing else is said."""


def spec_of(event: TrainRequested, launchers: Launchers) -> JobSpec:
    """Return the job that a request asks for; raises Rejected where this stack has no such place for it."""
    target = event.target or next(iter(launchers))
    if target not in launchers:
        raise Rejected(f"this stack cannot run a job on {target}, only on {' or '.join(launchers)}")
    told = repr((event.recipe, event.overrides))
    digest = hashlib.sha256(told.encode()).hexdigest()
    return JobSpec(
        name=job_name(event.run_id, event.recipe, digest),
        run_id=event.run_id,
        recipe=event.recipe,
        overrides=event.overrides,
        target=target,
    )


def note(documents: Documents, spec: JobSpec) -> None:
    """Note a job that is about to be started, so that whoever hears of its end knows where it ran."""
    documents.create(_path(spec.name), spec.model_dump(mode="json"))


def noted(documents: Documents, name: str) -> JobSpec:
    """Return a job that was started; raises NotFound."""
    return JobSpec.model_validate(need(documents, _path(name)).data)


def jobs_of(documents: Documents, run_id: str) -> list[JobSpec]:
    """Return the jobs that were started for a run."""
    return [JobSpec.model_validate(one.data) for one in documents.list(f"jobs/train-{run_id.lower()}-")]


def all_jobs(documents: Documents) -> list[JobSpec]:
    """Return every job that was ever started."""
    return [JobSpec.model_validate(one.data) for one in documents.list("jobs/")]


def version_of_job(documents: Documents, spec: JobSpec) -> str | None:
    """Return the version that a job trains, as the trainer notes it; None where it does not know yet."""
    for found in documents.list(f"training/{spec.run_id}-"):
        if found.data.get("job") == spec.name:
            return found.path.partition("/")[2]
    return None


def outcome_of(exit_status: int) -> tuple[JobOutcome, str]:
    """Return what a process's end means; a negative status is the number of the signal that killed it."""
    if exit_status == 0:
        return "succeeded", ""
    if exit_status < 0:
        return "preempted", f"killed by signal {-exit_status}"
    if exit_status == TRY_AGAIN_STATUS:
        return "preempted", "interrupted, or something that it needs is down: start it again"
    return "failed", f"exit status {exit_status}; its log says why"


def _path(name: str) -> str:
    return f"jobs/{name}"
