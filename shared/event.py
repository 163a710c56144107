"""Event: what every fact on the bus is and does, whatever it is about; the facts themselves are in shared.events."""

import hashlib
from typing import ClassVar, Self

from pydantic import Field, ValidationError, model_validator

from shared.errors import Rejected
from shared.frozen import Frozen

RUN_ID = r"^\d{8}T\d{6}Z-[0-9a-f]{8}$"
VERSION = r"^\d{8}T\d{6}Z-[0-9a-f]{8}-[0-9a-f]{8}$"
"""A run's id, and 8 hex digits of what else decides a model: recipe and base."""


class Event(Frozen):
    """A fact on the bus, of one topic: its class's name in kebab case."""

    topic: ClassVar[str]

    def data(self) -> bytes:
        """Return the message's payload."""
        return self.model_dump_json().encode()

    def attributes(self) -> dict[str, str]:
        """Return the message's attributes: the W3C trace, which all events about one thing share."""
        trace = hashlib.sha256(self.about().encode()).hexdigest()
        span = hashlib.sha256(self.topic.encode() + self.data()).hexdigest()
        return {"traceparent": f"00-{trace[:32]}-{span[:16]}-01"}

    def about(self) -> str:
        """Return the id of what the event is about: a run, a request, a job."""
        return self.topic

    def part(self) -> str:
        """Return which of the parts that the thing has the event is about; nothing where it is the whole."""
        return ""

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


class RunEvent(Event):
    """A fact about a run, or about a model that was trained on a run's dataset."""

    run_id: str = Field(pattern=RUN_ID)

    def about(self) -> str:
        """Return the run's id."""
        return self.run_id

    def attributes(self) -> dict[str, str]:
        """Return the attributes of every event, and the run's id."""
        return {"run_id": self.run_id} | super().attributes()


class ModelEvent(RunEvent):
    """A fact about one model version."""

    version: str = Field(pattern=VERSION)

    def part(self) -> str:
        """Return the version's last digits."""
        return self.version.rpartition("-")[2]

    @model_validator(mode="after")
    def _version_is_of_the_run(self) -> Self:
        if run_of(self.version) != self.run_id:
            raise ValueError(f"version {self.version} is not one of run {self.run_id}")
        return self


def run_of(version: str) -> str:
    """Return the run whose dataset a version was trained on."""
    return version.rpartition("-")[0]


def faults(exc: ValidationError) -> str:
    """Return what pydantic found wrong in one line: each field, and what is allowed."""
    parts = (f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in exc.errors(include_url=False))
    return "; ".join(parts)
