"""Dead letters: messages that a function could not take, kept as documents until replayed or dropped."""

import base64
import hashlib
from datetime import UTC, datetime

from shared.bus import Message
from shared.documents import Data, Documents, need, update
from shared.frozen import Frozen


class DeadLetter(Frozen):
    """A message, the function that could not take it, and why."""

    id: str
    function: str
    topic: str
    data_base64: str
    attributes: dict[str, str]
    attempts: int
    error: str
    buried_at: datetime

    @classmethod
    def of(cls, message: Message, function: str, attempts: int, error: str) -> "DeadLetter":
        """Return the dead letter of a message; the same message and function give the same id."""
        parts = [function, message.topic, sorted(message.attributes.items()), message.data]
        return cls(
            id=hashlib.sha256(repr(parts).encode()).hexdigest()[:12],
            function=function,
            topic=message.topic,
            data_base64=base64.b64encode(message.data).decode(),
            attributes=message.attributes,
            attempts=attempts,
            error=error,
            buried_at=datetime.now(UTC),
        )

    @property
    def run_id(self) -> str | None:
        """The run that the message belongs to, where it says."""
        return self.attributes.get("run_id")

    def message(self) -> Message:
        """Return the message as it was."""
        return Message(self.topic, base64.b64decode(self.data_base64), self.attributes)


def bury(documents: Documents, letter: DeadLetter) -> None:
    """Keep a dead letter; one that died before is replaced by its latest death."""
    data: Data = letter.model_dump(mode="json")
    update(documents, f"dead-letters/{letter.id}", lambda _: data)


def letters(documents: Documents) -> list[DeadLetter]:
    """Return all dead letters, oldest first."""
    found = [DeadLetter.model_validate(one.data) for one in documents.list("dead-letters/")]
    return sorted(found, key=lambda letter: letter.buried_at)


def letter(documents: Documents, letter_id: str) -> DeadLetter:
    """Return a dead letter; raises NotFound."""
    return DeadLetter.model_validate(need(documents, f"dead-letters/{letter_id}").data)


def drop(documents: Documents, letter_id: str) -> bool:
    """Forget a dead letter and return whether there was one."""
    return documents.delete(f"dead-letters/{letter_id}")
