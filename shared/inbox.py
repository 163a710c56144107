"""Inbox: the bucket that run configs are dropped into.

The port is `Inbox`; `DirectoryInbox` is the embedded adapter, which keeps every generation of an
object as a file of its own, as a versioned bucket would.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from shared.artifacts import DirectoryStore
from shared.errors import NotFound, Rejected
from shared.events import ConfigDropped

MAX_CONFIG_BYTES = 256 * 1024


class Inbox(Protocol):
    """Dropped run configs, by name and generation."""

    def drop(self, name: str, data: bytes) -> ConfigDropped:
        """Put a config in the bucket; the notification is the caller's or the bucket's to publish."""

    def read(self, dropped: ConfigDropped) -> bytes:
        """Return a dropped config; raises NotFound, and Rejected where it is over MAX_CONFIG_BYTES."""

    def write_error(self, dropped: ConfigDropped, error: bytes) -> None:
        """Put an error document beside a config that cannot be run."""

    def find(self, run_id: str) -> ConfigDropped:
        """Return the drop that a run came from; raises NotFound."""


class DirectoryInbox:
    """A directory as the config bucket."""

    bucket = "configs"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._store = DirectoryStore(root)

    def drop(self, name: str, data: bytes) -> ConfigDropped:
        """Write the config under its name and a generation: the microsecond it came in."""
        now = datetime.now(UTC)
        while True:
            dropped = _dropped(self.bucket, name, int(now.timestamp() * 1_000_000))
            if self._store.create(_file(dropped), data):
                return dropped
            now = datetime.now(UTC)

    def read(self, dropped: ConfigDropped) -> bytes:
        """Return the file's bytes, unless it is too large to be a config."""
        path = self._root / _file(dropped)
        if path.is_file() and (size := path.stat().st_size) > MAX_CONFIG_BYTES:
            raise Rejected(f"{dropped.name} has {size:,} bytes; a run config has at most {MAX_CONFIG_BYTES:,}")
        return self._store.read(_file(dropped))

    def write_error(self, dropped: ConfigDropped, error: bytes) -> None:
        """Write `<name>.error.json` for this generation."""
        self._store.create(f"{_file(dropped)}.error.json", error)

    def find(self, run_id: str) -> ConfigDropped:
        """Search the drops for the run's."""
        for file in self._store.names(""):
            name, _, generation = file.rpartition("@")
            if name and generation.isdigit():
                dropped = _dropped(self.bucket, name, int(generation))
                if dropped.run_id == run_id:
                    return dropped
        raise NotFound(f"there is no run {run_id!r} here: no config was dropped for it")


def _dropped(bucket: str, name: str, generation: int) -> ConfigDropped:
    at = datetime.fromtimestamp(generation / 1_000_000, UTC)
    return ConfigDropped(bucket=bucket, name=name, generation=str(generation), finalized_at=at)


def _file(dropped: ConfigDropped) -> str:
    return f"{dropped.name}@{dropped.generation}"
