"""Jobs: plans made in the background, in Postgres. A job is done once however often it is delivered.

    queued ─► running ─► completed | failed

Whoever works on a job holds it for `LEASE_S`, told by a counter of attempts: what died is taken over after
that, and what was thought dead and comes back finds that its attempt does not count any more. A job that is
still queued after a while is published again by whoever asks about it, so that an event lost between the
insert and the bus loses nothing.
"""

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from services.plan.bodies import PlanRequest
from services.plan.schemas import JobView
from shared.coach.vocabulary import Escalation
from shared.database import Database
from shared.errors import NotFound, Unavailable
from shared.statements import Asked, Statement

LEASE_S: Final = 300
"""Longer than two whole attempts of a model."""
REPUBLISH_S: Final = 15

_COLUMNS: Final = "job_id, status, days_written, plan_id, escalation, message, created_at, updated_at, completed_at"
_INSERT: Final = Statement(
    "INSERT INTO plan.jobs (job_id, user_id, status, request, created_at, updated_at)"
    " VALUES (:job_id, :user_id, 'queued', :request, :now, :now)"
)
_GET: Final = Statement(
    f"SELECT {_COLUMNS}, (status = 'queued' OR lease_until < now()) AND status IN ('queued', 'running')"
    f" AND updated_at < now() - interval '{REPUBLISH_S} seconds'"
    " FROM plan.jobs WHERE user_id = :user_id AND job_id = :job_id"
)
_LATEST: Final = Statement(
    f"SELECT {_COLUMNS} FROM plan.jobs WHERE user_id = :user_id ORDER BY created_at DESC LIMIT :most"
)
_TOUCH: Final = Statement("UPDATE plan.jobs SET updated_at = now() WHERE user_id = :user_id AND job_id = :job_id")
_CLAIM: Final = Statement(
    "UPDATE plan.jobs SET status = 'running', attempts = attempts + 1, days_written = 0, updated_at = now(),"
    " lease_until = now() + make_interval(secs => :lease_s) WHERE user_id = :user_id AND job_id = :job_id"
    " AND (status = 'queued' OR (status = 'running' AND lease_until < now())) RETURNING attempts, request"
)
_STATUS: Final = Statement("SELECT status FROM plan.jobs WHERE user_id = :user_id AND job_id = :job_id")
_PROGRESS: Final = Statement(
    "UPDATE plan.jobs SET days_written = :days, updated_at = now() WHERE user_id = :user_id AND job_id = :job_id"
    " AND status = 'running' AND attempts = :attempt"
)
_RELEASE: Final = Statement(
    "UPDATE plan.jobs SET status = 'queued', lease_until = NULL, updated_at = now()"
    " WHERE user_id = :user_id AND job_id = :job_id AND status = 'running' AND attempts = :attempt"
)


class Claim(NamedTuple):
    """A job in hand."""

    job_id: UUID
    user_id: str
    attempt: int
    request: PlanRequest


class Jobs:
    """The jobs of all users; raises NotFound for what is not theirs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queued(self, user_id: str, job_id: UUID, wanted: PlanRequest) -> tuple[JobView, Asked]:
        """Return a new job, and the statement that queues it."""
        now = datetime.now(UTC)
        request = wanted.model_dump_json(exclude_unset=True)
        insert = _INSERT(job_id=str(job_id), user_id=user_id, request=request, now=now)
        job = JobView(
            job_id=job_id,
            status="queued",
            days_written=0,
            plan_id=None,
            escalation=None,
            message=None,
            created_at=now,
            updated_at=now,
            completed_at=None,
        )
        return job, insert

    def get(self, user_id: str, job_id: UUID) -> tuple[JobView, bool]:
        """Return a job, and whether it has waited so long that its event should be published again."""
        rows = self._database.run(user_id, _GET(user_id=user_id, job_id=str(job_id)))[0]
        if not rows:
            raise _no_job(job_id)
        waits = bool(rows[0][9])
        if waits:
            self._database.run(user_id, _TOUCH(user_id=user_id, job_id=str(job_id)))
        return _view(rows[0]), waits

    def latest(self, user_id: str, most: int) -> tuple[JobView, ...]:
        """Return the newest jobs."""
        return tuple(map(_view, self._database.run(user_id, _LATEST(user_id=user_id, most=most))[0]))

    def claim(self, user_id: str, job_id: UUID) -> Claim | None:
        """Take a job in hand; None where it is done. Raises Unavailable while somebody else has it."""
        mine = {"user_id": user_id, "job_id": str(job_id)}
        rows, after = self._database.run(user_id, _CLAIM(**mine, lease_s=LEASE_S), _STATUS(**mine))
        if rows:
            attempt, request = rows[0]
            return Claim(job_id, user_id, attempt, PlanRequest.model_validate_json(request))
        if not after:
            raise NotFound(f"there is no job {job_id}; its user may be gone")
        if after[0][0] == "running":
            raise Unavailable("somebody else works on this job")
        return None

    def note_days(self, claim: Claim, days: int) -> None:
        """Note how far a job is."""
        mine = {"user_id": claim.user_id, "job_id": str(claim.job_id)}
        self._database.run(claim.user_id, _PROGRESS(**mine, days=days, attempt=claim.attempt))

    def release(self, claim: Claim) -> None:
        """Put a job back that could not be worked on."""
        mine = {"user_id": claim.user_id, "job_id": str(claim.job_id)}
        self._database.run(claim.user_id, _RELEASE(**mine, attempt=claim.attempt))

    def complete(
        self,
        connection: Connection,
        claim: Claim,
        plan_id: UUID | None,
        escalation: Escalation,
        message: str | None,
    ) -> bool:
        """Complete a job within the transaction that keeps its plan; False where this attempt counts no more."""
        done = connection.execute(
            text(
                "UPDATE plan.jobs SET status = 'completed', plan_id = :plan_id, escalation = :escalation,"
                " message = :message, updated_at = now(), completed_at = now(), lease_until = NULL"
                " WHERE user_id = :user_id AND job_id = :job_id AND status = 'running' AND attempts = :attempt"
            ),
            {
                "plan_id": plan_id,
                "escalation": escalation,
                "message": message,
                "user_id": claim.user_id,
                "job_id": claim.job_id,
                "attempt": claim.attempt,
            },
        )
        return done.rowcount == 1

    def fail(self, claim: Claim, message: str) -> None:
        """Give a job up for good, with what to tell the user."""
        with self._database.transaction(claim.user_id) as connection:
            connection.execute(
                text(
                    "UPDATE plan.jobs SET status = 'failed', message = :message, updated_at = now(),"
                    " completed_at = now(), lease_until = NULL"
                    " WHERE user_id = :user_id AND job_id = :job_id AND status = 'running' AND attempts = :attempt"
                ),
                {
                    "message": message,
                    "user_id": claim.user_id,
                    "job_id": claim.job_id,
                    "attempt": claim.attempt,
                },
            )


def _view(row: Any) -> JobView:
    completed_at: datetime | None = row[8]
    return JobView(
        job_id=row[0],
        status=row[1],
        days_written=row[2],
        plan_id=row[3],
        escalation=row[4],
        message=row[5],
        created_at=row[6],
        updated_at=row[7],
        completed_at=completed_at,
    )


def _no_job(job_id: UUID) -> NotFound:
    return NotFound(f"there is no job {job_id}")
