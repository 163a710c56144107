"""Process jobs: the launcher of this machine: each job a process of its own, which outlives whoever started it."""

from pathlib import Path

from shared.bus import Bus
from shared.errors import Rejected
from shared.job_process import ROOT, Attempt, Command, begin, look, tell_of_unseen_end
from shared.jobs import JobSpec, JobState, outcome_of
from shared.settings import Settings

TRAINER = ROOT / "trainer-job"
UNSEEN = "its keeper was killed, so that nobody saw how it ended: start it again"


class ProcessLauncher:
    """Jobs as processes, each with a folder below OUT/jobs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.out.absolute() / "jobs"

    def start(self, spec: JobSpec) -> bool:
        """Start the trainer in its own environment."""
        variables = {
            "FITSENSE_OUT": str(self._settings.out.absolute()),
            "FITSENSE_STACK": self._settings.stack,
            "PYTHONPATH": f"{ROOT}:{TRAINER}",
            "PYTHONUNBUFFERED": "1",
        }
        work = self._settings.out.absolute() / "training"
        arguments = (*trainer_command(self._settings), *spec.arguments, "--work", str(work))
        command = Command(arguments=arguments, variables=variables | spec.environment, job=spec.name)
        return begin(self._folder / spec.name, command) == "started"

    def state(self, name: str) -> JobState | None:
        """Look at what the job's keeper has noted."""
        found = look(self._folder / name)
        return state_of(found) if found else None

    def log(self, name: str) -> Path:
        """Return the file that holds what a job has said."""
        return self._folder / name / "log"

    def tell_of_unseen_ends(self, bus: Bus) -> list[str]:
        """Publish the ends of jobs whose keepers could not; returns the jobs' names."""
        folders = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        return [folder.name for folder in folders if tell_of_unseen_end(folder, bus)]


def state_of(attempt: Attempt) -> JobState:
    """Return how a job stands whose last attempt stands like this."""
    if attempt.status == "running":
        return JobState(status="running", attempts=attempt.number)
    outcome, reason = ("preempted", UNSEEN) if attempt.exit_status is None else outcome_of(attempt.exit_status)
    return JobState(status="ended", outcome=outcome, reason=reason, attempts=attempt.number)


def trainer_command(settings: Settings) -> tuple[str, ...]:
    """Return what begins a job's command line; raises Rejected where the trainer has no environment here."""
    if settings.trainer_command:
        return settings.trainer_command
    python = TRAINER / ".venv" / "bin" / "python"
    if not python.exists():
        raise Rejected("the trainer has no environment here yet; make it by: make setup-trainer")
    return (str(python), "-m", "trainer_job")
