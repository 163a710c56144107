"""Executions: what Cloud Run's Jobs, Executions and Tasks services answer about the jobs of a folder."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

from google.cloud import run_v2

from deploy.jobs_server.processes import JobFolder, folders
from shared.bus import Message
from shared.settings import Settings

LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class Executions:
    """The executions of every job; a job is deployed as soon as somebody runs it."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self._root = root
        self._settings = settings

    def run(self, request: run_v2.RunJobRequest) -> run_v2.Execution:
        """Start an execution."""
        job = request.name.rpartition("/")[2]
        suffix = "".join(LETTERS[byte % len(LETTERS)] for byte in uuid.uuid4().bytes[:5])
        asked = request.overrides.container_overrides
        containers = [run_v2.Container(args=one.args, env=one.env) for one in asked]
        execution = run_v2.Execution(
            name=f"{request.name}/executions/{job}-{suffix}",
            job=job,
            create_time=datetime.now(UTC),
            task_count=1,
            template=run_v2.TaskTemplate(containers=containers, max_retries=0),
        )
        folder = JobFolder(self._root / f"{job}-{suffix}")
        folder.ask(run_v2.Execution.serialize(execution))
        arguments = [argument for one in containers for argument in one.args]
        variables = {variable.name: variable.value for one in containers for variable in one.env}
        folder.begin(arguments, variables, self._settings)
        return self._as_it_stands(folder)

    def of_job(self, job: str) -> list[run_v2.Execution]:
        """Return a job's executions."""
        found = (self._as_it_stands(folder) for folder in folders(self._root))
        return [one for one in found if one.name.startswith(f"{job}/executions/")]

    def named(self, name: str) -> run_v2.Execution | None:
        """Return one execution."""
        return next((one for one in map(self._as_it_stands, folders(self._root)) if one.name == name), None)

    def tasks(self, execution: str) -> list[run_v2.Task]:
        """Return an execution's one task."""
        folder = JobFolder(self._root / execution.rpartition("/")[2])
        attempt = folder.attempt()
        if attempt is None:
            return []
        task = run_v2.Task(name=f"{execution}/tasks/0", execution=execution)
        if attempt.status == "ended":
            task.last_attempt_result = run_v2.TaskAttemptResult(exit_code=folder.exit_code(attempt))
        return [task]

    def ends(self) -> list[tuple[JobFolder, Message]]:
        """Return the executions that have ended and are not told of, each with the audit log entry that tells."""
        found = [(folder, self._as_it_stands(folder)) for folder in folders(self._root) if not folder.is_told()]
        return [(folder, _log_entry(execution)) for folder, execution in found if execution.completion_time]

    def _as_it_stands(self, folder: JobFolder) -> run_v2.Execution:
        execution: run_v2.Execution = run_v2.Execution.deserialize(folder.asked() or b"")
        attempt = folder.attempt()
        if attempt is None or attempt.status == "running":
            execution.running_count = 1
            return execution
        code = folder.exit_code(attempt)
        execution.completion_time = datetime.fromtimestamp(attempt.ended_s or attempt.began_s, UTC)
        execution.succeeded_count, execution.failed_count = (1, 0) if code == 0 else (0, 1)
        state = run_v2.Condition.State
        execution.conditions = [
            run_v2.Condition(
                type_="Completed",
                state=state.CONDITION_SUCCEEDED if code == 0 else state.CONDITION_FAILED,
                message="" if code == 0 else f"The container exited with an error, code {code}.",
            )
        ]
        return execution


def _log_entry(execution: run_v2.Execution) -> Message:
    """Return what a log sink publishes of an execution's end: the audit log's entry, the execution as in API v1."""
    containers = [
        {"args": list(one.args), "env": [{"name": two.name, "value": two.value} for two in one.env]}
        for one in execution.template.containers
    ]
    payload = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": "run.googleapis.com",
        "methodName": "/Jobs.RunJob",
        "status": {} if execution.succeeded_count else {"code": 10, "message": execution.conditions[0].message},
        "response": {
            "@type": "type.googleapis.com/google.cloud.run.v1.Execution",
            "metadata": {"name": execution.name.rpartition("/")[2]},
            "spec": {"taskCount": 1, "template": {"spec": {"containers": containers}}},
        },
    }
    entry = {"protoPayload": payload, "resource": {"type": "cloud_run_job", "labels": {"job_name": execution.job}}}
    return Message("job-ended", json.dumps(entry).encode(), {})
