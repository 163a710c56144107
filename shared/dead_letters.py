"""Dead letters: messages that a function could not take, kept as documents until replayed or dropped."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from shared import run_state
from shared.bus import Message, event_in
from shared.documents import Data, Documents, update
from shared.errors import Rejected
from shared.event import RUN_ID, Event
from shared.events import of_a_run
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
        event, claimed = self.event(), self.attributes.get("run_id", "")
        if event is not None:
            return event.run_id if of_a_run(event) else None
        return claimed if re.fullmatch(RUN_ID, claimed) else None

    def event(self) -> Event | None:
        """Return the event inside; None where it cannot be read, so that no function will ever take it."""
        try:
            return event_in(self.message())
        except Rejected:
            return None

    def message(self) -> Message:
        """Return the message as it was."""
        return Message(self.topic, base64.b64decode(self.data_base64), self.attributes)


def bury(documents: Documents, letter: DeadLetter) -> None:
    """Keep a dead letter, and note that its run has failed; one that died before is replaced by its latest death."""
    data: Data = letter.model_dump(mode="json")
    update(documents, _path(letter.id), lambda _: data)
    if letter.run_id is not None:
        run_state.break_off(documents, letter.run_id, "failed", f"{letter.function}: {letter.error}")


def letters(documents: Documents) -> list[DeadLetter]:
    """Return all dead letters, oldest first."""
    found = [DeadLetter.model_validate(one.data) for one in documents.list("dead-letters/")]
    return sorted(found, key=lambda letter: letter.buried_at)


def is_there(documents: Documents, letter_id: str) -> bool:
    """Return whether there is such a dead letter."""
    return documents.get(_path(letter_id)) is not None


def drop(documents: Documents, letter_id: str) -> bool:
    """Forget a dead letter and return whether there was one."""
    return documents.delete(_path(letter_id))


def let_go_on(documents: Documents, replayed: Sequence[DeadLetter]) -> None:
    """Note that the runs of letters go on, but for those that another letter, which is not replayed, holds up."""
    ids = {letter.id for letter in replayed}
    held_up = {letter.run_id for letter in letters(documents) if letter.id not in ids}
    for run_id in {letter.run_id for letter in replayed} - held_up:
        if run_id is not None:
            run_state.finish(documents, run_id, "running")


def drop_of_run(documents: Documents, run_id: str) -> None:
    """Forget the dead letters of a run that is to go on: it makes again what they were about."""
    for letter in letters(documents):
        if letter.run_id == run_id:
            drop(documents, letter.id)


def _path(letter_id: str) -> str:
    return f"dead-letters/{letter_id}"
