"""Cloud Run jobs: trainings as executions of one deployed job, which has the image and the GPU.

An execution's name is Cloud Run's to choose, so which training one is stands in a variable of its containers.
A lease is held from looking for one to starting one: Cloud Run itself would start a second.
"""

from datetime import timedelta

from google.cloud import run_v2

from shared.gcp.clients import unavailable
from shared.job_reports import JOB_VARIABLE
from shared.jobs import JobSpec, JobState, outcome_of
from shared.lease import Leases
from shared.settings import Settings

CALL_S = 30
TIMEOUT = timedelta(hours=24)
SIGNALLED = 128
"""What Cloud Run adds to the number of a signal to make an exit code of it."""


class CloudRunLauncher:
    """Executions of a project's trainer job."""

    def __init__(
        self,
        jobs: run_v2.JobsClient,
        executions: run_v2.ExecutionsClient,
        tasks: run_v2.TasksClient,
        settings: Settings,
        leases: Leases,
    ) -> None:
        self._jobs = jobs
        self._executions = executions
        self._tasks = tasks
        self._leases = leases
        self._job = f"projects/{settings.project}/locations/{settings.region}/jobs/{settings.trainer_job}"

    def start(self, spec: JobSpec) -> bool:
        """Run the job with the training's arguments, and do not wait for it."""
        with self._leases.held(f"launch/{spec.name}"), unavailable(f"Cloud Run job {self._job}"):
            found = self._attempts(spec.name)
            if found and not _may_start_again(found[0]):
                return False
            # Not repeated: where the answer is lost, the next delivery looks whether it has begun.
            self._jobs.run_job(request=_request(self._job, spec), timeout=CALL_S, retry=None)
            return True

    def state(self, name: str) -> JobState | None:
        """Return how the last execution of a training stands."""
        with unavailable(f"Cloud Run job {self._job}"):
            found = self._attempts(name)
            if not found:
                return None
            latest, attempts = found[0], len(found)
            if not latest.completion_time:
                return JobState(status="running", attempts=attempts)
            if latest.succeeded_count:
                return JobState(status="ended", outcome="succeeded", attempts=attempts)
            if latest.cancelled_count:
                return JobState(status="ended", outcome="cancelled", reason=_reason(latest), attempts=attempts)
            outcome, reason = outcome_of(self._exit_status(latest))
            return JobState(status="ended", outcome=outcome, reason=f"{_reason(latest)} {reason}", attempts=attempts)

    def _attempts(self, name: str) -> list[run_v2.Execution]:
        """Return the executions of a training, the latest first."""
        found = self._executions.list_executions(parent=self._job, timeout=CALL_S, retry=None)
        mine = [one for one in found if _variable(one) == name]
        return sorted(mine, key=lambda one: one.create_time.timestamp(), reverse=True)

    def _exit_status(self, execution: run_v2.Execution) -> int:
        for task in self._tasks.list_tasks(parent=execution.name, timeout=CALL_S, retry=None):
            code = int(task.last_attempt_result.exit_code)
            if code:
                return SIGNALLED - code if SIGNALLED < code < SIGNALLED + 65 else code
        return 1


def _request(job: str, spec: JobSpec) -> run_v2.RunJobRequest:
    overrides = run_v2.RunJobRequest.Overrides
    container = overrides.ContainerOverride(
        args=list(spec.arguments),
        env=[run_v2.EnvVar(name=name, value=value) for name, value in spec.environment.items()],
    )
    asked = overrides(container_overrides=[container], task_count=1, timeout=TIMEOUT)
    return run_v2.RunJobRequest(name=job, overrides=asked)


def _variable(execution: run_v2.Execution) -> str | None:
    variables = (one for container in execution.template.containers for one in container.env)
    return next((str(one.value) for one in variables if one.name == JOB_VARIABLE), None)


def _may_start_again(execution: run_v2.Execution) -> bool:
    return bool(execution.completion_time) and not execution.succeeded_count


def _reason(execution: run_v2.Execution) -> str:
    return " ".join(one.message for one in execution.conditions if one.type_ == "Completed" and one.message)
