"""Notifications: facts that Google's services put on a topic in a form of their own.

config-dropped      Cloud Storage's OBJECT_FINALIZE, for an object of the config bucket
job-ended           Batch's JOB_STATE_CHANGED; Cloud Run's audit log of an execution, by a log sink; or,
                    from launchers of this project's own, the event as JSON
"""

import hashlib
from datetime import datetime
from typing import ClassVar, Self

import orjson
from pydantic import Field, ValidationError

from shared import job_reports
from shared.errors import Rejected
from shared.event import Event, faults

ERROR_SUFFIX = ".error.json"
"""What the name of the error document beside a broken config ends with."""


class ConfigDropped(Event):
    """A run config came to lie in the config bucket: Cloud Storage's OBJECT_FINALIZE notification."""

    topic: ClassVar[str] = "config-dropped"

    bucket: str
    name: str
    generation: str
    finalized_at: datetime
    """When the object was complete. The run id holds it, so that being notified twice is one run."""

    @property
    def run_id(self) -> str:
        """The run that this drop is."""
        digest = hashlib.sha256(f"{self.bucket}/{self.name}#{self.generation}".encode()).hexdigest()
        return f"{self.finalized_at:%Y%m%dT%H%M%SZ}-{digest[:8]}"

    def data(self) -> bytes:
        """Return what matters of the payload, which is the whole object resource where Cloud Storage sends it."""
        return orjson.dumps({"timeCreated": self.finalized_at.isoformat()})

    def attributes(self) -> dict[str, str]:
        """Return the attributes that Cloud Storage sets."""
        return {
            "eventType": "OBJECT_FINALIZE",
            "bucketId": self.bucket,
            "objectId": self.name,
            "objectGeneration": self.generation,
            "eventTime": self.finalized_at.isoformat(),
            "payloadFormat": "JSON_API_V1",
        }

    @classmethod
    def concerns(cls, attributes: dict[str, str]) -> bool:
        """Return whether a notification tells of a config: not of another change, an error document or a folder."""
        came = attributes.get("eventType", "OBJECT_FINALIZE") == "OBJECT_FINALIZE"
        return came and not attributes.get("objectId", "").endswith((ERROR_SUFFIX, "/"))

    @classmethod
    def from_message(cls, data: bytes, attributes: dict[str, str]) -> Self:
        """Return the drop that a notification tells of; raises Rejected naming each wrong field."""
        try:
            return cls.model_validate(
                {
                    "bucket": attributes.get("bucketId"),
                    "name": attributes.get("objectId"),
                    "generation": attributes.get("objectGeneration"),
                    "finalized_at": _time_created(data) or attributes.get("eventTime"),
                }
            )
        except ValidationError as exc:
            raise Rejected(f"not a config-dropped notification: {faults(exc)}") from exc


def _time_created(resource: bytes) -> object:
    """Return when an object was complete: whoever looks at the object sees that time, eventTime only the notified."""
    try:
        fields = orjson.loads(resource)
    except ValueError:
        return None
    return fields.get("timeCreated") if isinstance(fields, dict) else None


class JobEnded(Event):
    """A training job has ended, whatever way: its launcher knows which. Its name says which run it is of."""

    topic: ClassVar[str] = "job-ended"

    job: str = Field(pattern=job_reports.JOB)

    @property
    def run_id(self) -> str:
        """The run whose dataset the job trains on."""
        return job_reports.run_of_job(self.job)

    def about(self) -> str:
        """Return the run's id."""
        return self.run_id

    def attributes(self) -> dict[str, str]:
        """Return the attributes of every event, and the run's id."""
        return {"run_id": self.run_id} | super().attributes()

    def part(self) -> str:
        """Return the job's name."""
        return self.job

    @classmethod
    def concerns(cls, attributes: dict[str, str]) -> bool:
        """Return whether a notification tells of an end: Batch tells of every change of state."""
        return job_reports.is_an_end(attributes)

    @classmethod
    def from_message(cls, data: bytes, attributes: dict[str, str]) -> Self:
        """Return the end that a notification tells of; raises Rejected saying what is wrong."""
        try:
            return cls.model_validate(job_reports.told(data, attributes))
        except ValidationError as exc:
            raise Rejected(f"not a job-ended notification: {faults(exc)}") from exc
