"""Drop folder: where people put run configs for the embedded stack, as into the cloud's config bucket.

DIR/inbox/small.yaml                       is taken once it has not changed for half a second
DIR/inbox/accepted/<run_id>.small.yaml     where it is then, and the run that it became
DIR/inbox/small.yaml.error.json            what is wrong with one that cannot be run; it is looked at again
                                           when it changes
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.config_text import ConfigError
from shared.inbox import MAX_CONFIG_BYTES

SETTLED_S = 0.5

Look = tuple[int, int, int]
"""What tells one content of a file from another: inode, size, time of the last change."""


@dataclass(slots=True)
class Seen:
    """A file of the folder: how it looked, since when, and whether it was refused looking so."""

    look: Look
    since: float
    refused: bool = False


class DropFolder:
    """The folder, watched by calling `settled` often."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._accepted = folder / "accepted"
        self._seen: dict[Path, Seen] = {}
        self._accepted.mkdir(parents=True, exist_ok=True)

    def settled(self) -> Iterator[tuple[Path, bytes]]:
        """Yield the files that are whole and were not refused as they are, and what is in them."""
        found = dict(_files(self._folder))
        self._seen = {path: seen for path, seen in self._seen.items() if path in found}
        now = time.monotonic()
        for path, look in sorted(found.items()):
            seen = self._seen.get(path)
            if seen is None or seen.look != look:
                self._seen[path] = Seen(look, now)
            elif not seen.refused and now - seen.since >= SETTLED_S and (text := _read(path)) is not None:
                yield path, text

    def accept(self, path: Path, run_id: str) -> None:
        """Move a file away that became a run."""
        path.rename(self._accepted / f"{run_id}.{path.name}")
        _error_file(path).unlink(missing_ok=True)

    def refuse(self, path: Path, error: ConfigError) -> None:
        """Say beside a file what is wrong with it, and leave it alone until it changes."""
        self._seen[path].refused = True
        said = {"error": {"code": "bad_config", "message": str(error), "faults": error.faults}}
        _error_file(path).write_text(json.dumps(said, indent=2) + "\n")

    def run_ids(self) -> list[str]:
        """Return the runs that came from here, oldest first."""
        return sorted(path.name.partition(".")[0] for path in self._accepted.iterdir())


def _files(folder: Path) -> Iterator[tuple[Path, Look]]:
    for path in folder.glob("*.yaml"):
        try:
            status = path.stat()
        except OSError:
            continue  # it was there a moment ago
        if path.is_file():
            yield path, (status.st_ino, status.st_size, status.st_mtime_ns)


def _read(path: Path) -> bytes | None:
    """Return a file's text, at most a byte more than a config may have; None where it is gone or not ours to read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_CONFIG_BYTES + 1)
    except OSError:
        return None


def _error_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.error.json")
