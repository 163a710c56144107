"""Batches: what Batch answers about the jobs of a folder; it starts again what its retry policy says."""

import threading
from pathlib import Path

from google.cloud import batch_v1

from deploy.jobs_server.processes import JobFolder, folders
from shared.bus import Message
from shared.job_process import Attempt
from shared.settings import Settings

States = batch_v1.JobStatus.State


class Batches:
    """Batch jobs."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self._root = root
        self._settings = settings
        self._creating = threading.Lock()

    def create(self, request: batch_v1.CreateJobRequest) -> batch_v1.Job | None:
        """Start a job; None where there is one of that name."""
        folder = JobFolder(self._root / request.job_id)
        with self._creating:
            if folder.asked() is not None:
                return None
            job = request.job
            job.name, job.uid = f"{request.parent}/jobs/{request.job_id}", request.job_id
            folder.ask(batch_v1.Job.serialize(job))
        self._begin(folder, job)
        return self._as_it_stands(folder)

    def named(self, name: str) -> batch_v1.Job | None:
        """Return a job; None where there is none."""
        folder = JobFolder(self._root / name.rpartition("/")[2])
        return self._as_it_stands(folder) if folder.asked() is not None else None

    def try_again(self) -> None:
        """Start again what has ended in a way that its policy says to start again, or had not begun."""
        for folder in folders(self._root):
            job, attempt = self._asked(folder), folder.attempt()
            if attempt is None or (attempt.status == "ended" and _is_tried_again(job, folder, attempt)):
                self._begin(folder, job)

    def ends(self) -> list[tuple[JobFolder, Message]]:
        """Return the jobs that have ended and are not told of, each with the notification that tells."""
        found = [(folder, self._as_it_stands(folder)) for folder in folders(self._root) if not folder.is_told()]
        return [
            (folder, _notification(job))
            for folder, job in found
            if job.status.state in (States.SUCCEEDED, States.FAILED)
        ]

    def _begin(self, folder: JobFolder, job: batch_v1.Job) -> None:
        task = job.task_groups[0].task_spec
        arguments = [argument for one in task.runnables for argument in one.container.commands]
        folder.begin(arguments, dict(task.environment.variables), self._settings)

    @staticmethod
    def _asked(folder: JobFolder) -> batch_v1.Job:
        job: batch_v1.Job = batch_v1.Job.deserialize(folder.asked() or b"")
        return job

    def _as_it_stands(self, folder: JobFolder) -> batch_v1.Job:
        job, attempt = self._asked(folder), folder.attempt()
        if attempt is None:
            job.status = batch_v1.JobStatus(state=States.QUEUED)
        elif attempt.status == "running" or _is_tried_again(job, folder, attempt):
            job.status = batch_v1.JobStatus(state=States.RUNNING)
        else:
            code = folder.exit_code(attempt)
            became = "FAILED" if code else "SUCCEEDED"
            event = batch_v1.StatusEvent(
                type_="STATUS_CHANGED",
                description=f"Task state is updated from RUNNING to {became}, exit code {code}.",
                task_execution=batch_v1.TaskExecution(exit_code=code),
            )
            job.status = batch_v1.JobStatus(state=States.FAILED if code else States.SUCCEEDED, status_events=[event])
        return job


def _is_tried_again(job: batch_v1.Job, folder: JobFolder, attempt: Attempt) -> bool:
    task, code = job.task_groups[0].task_spec, folder.exit_code(attempt)
    retried = (one for one in task.lifecycle_policies if one.action == batch_v1.LifecyclePolicy.Action.RETRY_TASK)
    codes = {number for one in retried for number in one.action_condition.exit_codes}
    return code in codes and attempt.number <= task.max_retry_count


def _notification(job: batch_v1.Job) -> Message:
    state = job.status.state.name
    attributes = {"Type": "JOB_STATE_CHANGED", "JobName": job.name, "JobUID": job.uid, "NewJobState": state}
    return Message("job-ended", f"Job state is changed to {state}.".encode(), attributes)
