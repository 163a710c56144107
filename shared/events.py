"""Events: every fact on the bus, one frozen model each.

    ConfigDropped ─► RunRequested × shards ─► ProfilesGenerated ─► WorkoutsSimulated ─► QueriesComposed
                     ─► ResponsesCollected, once no shard is missing ─► DatasetBuilt ─► ReportsCompleted, once
                     none of four is missing ─► DatasetApproved | DatasetRejected

An event carries ids and URIs, never rows, and nothing that differs between two deliveries of its
cause: no clock, no random id. Inside v1 fields are only ever added, with a default.
"""

import hashlib
from datetime import datetime
from typing import ClassVar, Self

import orjson
from pydantic import Field, ValidationError

from shared.errors import Rejected
from shared.frozen import Frozen

ERROR_SUFFIX = ".error.json"
"""What the name of the error document beside a broken config ends with."""

RUN_ID = r"^\d{8}T\d{6}Z-[0-9a-f]{8}$"


class Event(Frozen):
    """A fact on the bus: one run, one topic."""

    topic: ClassVar[str]

    run_id: str = Field(pattern=RUN_ID)

    def data(self) -> bytes:
        """Return the message's payload."""
        return self.model_dump_json().encode()

    def attributes(self) -> dict[str, str]:
        """Return the message's attributes: the run, and the W3C trace that all of its events share."""
        trace = hashlib.sha256(self.run_id.encode()).hexdigest()
        span = hashlib.sha256(self.topic.encode() + self.data()).hexdigest()
        return {"run_id": self.run_id, "traceparent": f"00-{trace[:32]}-{span[:16]}-01"}

    @classmethod
    def concerns(cls, attributes: dict[str, str]) -> bool:
        """Return whether a message on the topic is one to act on: every event is."""
        del attributes
        return True

    @classmethod
    def from_message(cls, data: bytes, attributes: dict[str, str]) -> Self:
        """Return the event that a message carries; raises Rejected naming each wrong field."""
        del attributes
        try:
            return cls.model_validate_json(data)
        except ValidationError as exc:
            raise Rejected(f"not a {cls.topic} event: {faults(exc)}") from exc


def faults(exc: ValidationError) -> str:
    """Return what pydantic found wrong in one line: each field, and what is allowed."""
    parts = (f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in exc.errors(include_url=False))
    return "; ".join(parts)


class ConfigDropped(Frozen):
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


class ShardEvent(Event):
    """Part of a run: shard number `shard` of `shards`."""

    shard: int = Field(ge=0)
    shards: int = Field(ge=1)


class RunRequested(ShardEvent):
    """A shard of a run may start."""

    topic: ClassVar[str] = "run-requested"


class ProfilesGenerated(ShardEvent):
    """The people of a shard exist."""

    topic: ClassVar[str] = "profiles-generated"
    profiles_uri: str


class WorkoutsSimulated(ShardEvent):
    """The plans and training logs of a shard's people exist."""

    topic: ClassVar[str] = "workouts-simulated"
    workouts_uri: str


class QueriesComposed(ShardEvent):
    """The messages of a shard's people exist."""

    topic: ClassVar[str] = "queries-composed"
    queries_uri: str


class ResponsesCollected(Event):
    """The teacher has answered every shard."""

    topic: ClassVar[str] = "responses-collected"
    shards: int = Field(ge=1)


class DatasetBuilt(Event):
    """The dataset and its manifest exist."""

    topic: ClassVar[str] = "dataset-built"
    manifest_uri: str


class ReportsCompleted(Event):
    """All four quality reports exist."""

    topic: ClassVar[str] = "reports-completed"


class DatasetApproved(Event):
    """The gate found the dataset good enough to train on."""

    topic: ClassVar[str] = "dataset-approved"
    manifest_uri: str
    gate_uri: str


class DatasetRejected(Event):
    """The gate found the dataset not good enough; the reasons stand in its report."""

    topic: ClassVar[str] = "dataset-rejected"
    manifest_uri: str
    gate_uri: str
    reasons: tuple[str, ...]


EVENTS: tuple[type[Event] | type[ConfigDropped], ...] = (
    ConfigDropped,
    RunRequested,
    ProfilesGenerated,
    WorkoutsSimulated,
    QueriesComposed,
    ResponsesCollected,
    DatasetBuilt,
    ReportsCompleted,
    DatasetApproved,
    DatasetRejected,
)
