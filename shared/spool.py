"""Spool: the embedded stack's bus between processes: a directory that keeps messages until they are delivered.

    <folder>/new/<name>                     published, not yet sorted
    <folder>/push/<subscription>/<name>     for a function or a service, until the dispatcher has delivered it
    <folder>/pull/<subscription>/<name>     for whoever asks, until acknowledged; see shared.pull

Publishing is creating a file whole, by a rename, so any process publishes and nothing is lost while no
dispatcher runs. Whoever moves a message on makes its next file before it deletes the last, so that a
kill -9 at any moment leaves it in at least one place. A name begins with the time, so that names sort
in about the order of publication.
"""

import base64
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from shared.bus import Message, message
from shared.errors import Rejected, Unavailable
from shared.event import Event

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in the spool."""

    file: Path
    message: Message

    @property
    def id(self) -> str:
        """The message's id, which no other has."""
        return self.file.name.partition(".")[0]

    @property
    def published_s(self) -> float:
        """When it was published, in Unix time."""
        return int(self.id.partition("-")[0]) / NANOSECONDS


class Spool:
    """Where the processes of a directory publish."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def publish(self, event: Event) -> None:
        """Keep an event; it is handed over when this returns."""
        self.send(message(event))

    def send(self, sent: Message) -> None:
        """Keep a message, which may be one that no event fits."""
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.json"
        fields = {
            "topic": sent.topic,
            "data": base64.b64encode(sent.data).decode(),
            "attributes": sent.attributes,
        }
        write_whole(self.folder / "new" / name, orjson.dumps(fields))

    def flush(self) -> None:
        """Return at once: publishing is handing over."""


def read(file: Path) -> Kept:
    """Return the message of a file; raises FileNotFoundError, and Rejected where nothing of ours wrote it."""
    try:
        fields = orjson.loads(file.read_bytes())
        attributes = {str(name): str(value) for name, value in fields["attributes"].items()}
        found = Kept(file, Message(str(fields["topic"]), base64.b64decode(fields["data"]), attributes))
        int(found.id.partition("-")[0])
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise Rejected(f"{file} is no message: {exc}") from exc
    return found


def names(folder: Path) -> list[str]:
    """Return the names of the messages in a folder, the first published first; none where there is no folder."""
    try:
        return sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))
    except FileNotFoundError:
        return []


def write_whole(file: Path, content: bytes) -> None:
    """Create a file in one piece, replacing one of the name; raises Unavailable."""
    unfinished = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    with on_disk(file):
        try:
            _write(unfinished, content)
        except FileNotFoundError:
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(unfinished, content)
        os.replace(unfinished, file)


@contextmanager
def on_disk(file: Path) -> Iterator[None]:
    """Turn what the disk refuses into Unavailable."""
    try:
        yield
    except OSError as exc:
        raise Unavailable(f"spool {file.parent}: {exc.strerror}") from exc


def _write(file: Path, content: bytes) -> None:
    with open(file, "xb") as opened:
        opened.write(content)
