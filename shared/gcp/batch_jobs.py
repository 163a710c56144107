"""Batch jobs: trainings on Spot GPUs, which Batch starts again after each preemption, and us told when it gives up.

A Batch job's id is the training's name, so creating it twice is one job. An id cannot be used again: a training
that is started again is `<name>-r2`, and so on.
"""

from datetime import timedelta

from google.api_core.exceptions import AlreadyExists, NotFound
from google.cloud import batch_v1

from shared.events import JobOutcome
from shared.gcp.clients import unavailable
from shared.jobs import TRY_AGAIN_STATUS, JobSpec, JobState, outcome_of
from shared.settings import Settings

CALL_S = 30
TIMEOUT = timedelta(hours=24)
PREEMPTED = 50001
"""Batch's exit code of a task whose Spot VM was taken away."""
MAX_RETRIES = 10
"""As many as Batch allows."""
SIGNALLED = 128

States = batch_v1.JobStatus.State
CANCELLED = (States.CANCELLED, States.CANCELLATION_IN_PROGRESS, States.DELETION_IN_PROGRESS)
ENDED = (States.SUCCEEDED, States.FAILED, *CANCELLED)


class BatchLauncher:
    """Batch jobs of a project."""

    def __init__(self, client: batch_v1.BatchServiceClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._parent = f"projects/{settings.project}/locations/{settings.region}"

    def start(self, spec: JobSpec) -> bool:
        """Create the next Batch job of a training."""
        with unavailable("Batch"):
            attempts, latest = self._latest(spec.name)
            if latest and (latest.status.state not in ENDED or latest.status.state == States.SUCCEEDED):
                return False
            try:
                job_id = _id(spec.name, attempts + 1)
                self._client.create_job(
                    parent=self._parent, job_id=job_id, job=self._job(spec), timeout=CALL_S, retry=None
                )
            except AlreadyExists:
                return False
            return True

    def state(self, name: str) -> JobState | None:
        """Return how the last Batch job of a training stands."""
        with unavailable("Batch"):
            attempts, latest = self._latest(name)
        if latest is None:
            return None
        state = latest.status.state
        if state not in ENDED:
            return JobState(status="running", attempts=attempts)
        if state == States.SUCCEEDED:
            return JobState(status="ended", outcome="succeeded", attempts=attempts)
        told = " ".join(event.description for event in latest.status.status_events[-1:])
        if state in CANCELLED:
            return JobState(status="ended", outcome="cancelled", reason=told, attempts=attempts)
        outcome, reason = _outcome(latest)
        return JobState(status="ended", outcome=outcome, reason=f"{told} {reason}".strip(), attempts=attempts)

    def _latest(self, name: str) -> tuple[int, batch_v1.Job | None]:
        """Return how many Batch jobs a training has had, and the last."""
        number, latest = 0, None
        while True:
            try:
                path = f"{self._parent}/jobs/{_id(name, number + 1)}"
                latest = self._client.get_job(name=path, timeout=CALL_S, retry=None)
            except NotFound:
                return number, latest
            number += 1

    def _job(self, spec: JobSpec) -> batch_v1.Job:
        container = batch_v1.Runnable.Container(image_uri=self._settings.trainer_image, commands=list(spec.arguments))
        stack = {"FITSENSE_STACK": self._settings.stack, "FITSENSE_PROJECT": self._settings.project}
        buckets = {"FITSENSE_ARTIFACT_BUCKET": self._settings.artifact_bucket}
        again = batch_v1.LifecyclePolicy(
            action=batch_v1.LifecyclePolicy.Action.RETRY_TASK,
            action_condition=batch_v1.LifecyclePolicy.ActionCondition(exit_codes=[PREEMPTED, TRY_AGAIN_STATUS]),
        )
        task = batch_v1.TaskSpec(
            runnables=[batch_v1.Runnable(container=container)],
            environment=batch_v1.Environment(variables=stack | buckets | spec.environment),
            max_retry_count=MAX_RETRIES,
            lifecycle_policies=[again],
            max_run_duration=TIMEOUT,
        )
        return batch_v1.Job(
            task_groups=[batch_v1.TaskGroup(task_spec=task, task_count=1)],
            allocation_policy=_spot_gpu(self._settings),
            logs_policy=batch_v1.LogsPolicy(destination=batch_v1.LogsPolicy.Destination.CLOUD_LOGGING),
            labels={"run": spec.run_id.lower(), "recipe": spec.recipe},
            notifications=[
                batch_v1.JobNotification(
                    pubsub_topic=f"projects/{self._settings.project}/topics/job-ended",
                    message=batch_v1.JobNotification.Message(type_=batch_v1.JobNotification.Type.JOB_STATE_CHANGED),
                )
            ],
        )


def _spot_gpu(settings: Settings) -> batch_v1.AllocationPolicy:
    policy = batch_v1.AllocationPolicy
    instance = policy.InstancePolicy(
        machine_type=settings.batch_machine_type,
        provisioning_model=policy.ProvisioningModel.SPOT,
        accelerators=[policy.Accelerator(type_=settings.batch_accelerator, count=1)],
    )
    return policy(
        location=policy.LocationPolicy(allowed_locations=[f"regions/{settings.region}"]),
        instances=[policy.InstancePolicyOrTemplate(policy=instance, install_gpu_drivers=True)],
        service_account=batch_v1.ServiceAccount(email=settings.trainer_service_account),
        network=_private_network(settings),
    )


def _private_network(settings: Settings) -> batch_v1.AllocationPolicy.NetworkPolicy | None:
    """Return where the machines are: out of it they come by the network's NAT, as none has an address of its own."""
    if not settings.batch_subnetwork:
        return None
    policy = batch_v1.AllocationPolicy
    inside = policy.NetworkInterface(
        network=settings.batch_network, subnetwork=settings.batch_subnetwork, no_external_ip_address=True
    )
    return policy.NetworkPolicy(network_interfaces=[inside])


def _outcome(job: batch_v1.Job) -> tuple[JobOutcome, str]:
    """Return what the exit code of a job's last task means."""
    codes = [
        int(event.task_execution.exit_code) for event in job.status.status_events if event.task_execution.exit_code
    ]
    code = codes[-1] if codes else 1
    if code == PREEMPTED:
        return "preempted", f"its Spot VM was taken away, {MAX_RETRIES} times more than it may: start it again"
    return outcome_of(SIGNALLED - code if SIGNALLED < code < SIGNALLED + 65 else code)


def _id(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-r{number}"
