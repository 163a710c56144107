"""Artifacts: files that are written whole, once, and never changed; what is no receipt any more may be deleted.

The port is `ArtifactStore`; `DirectoryStore` is the embedded adapter. An artifact is the receipt of
the work that made it, so everything rests on `create` being atomic: of any number of racing
writers exactly one creates, and nobody ever reads half a file.
"""

import errno
import os
import posixpath
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from shared.errors import NotFound, Rejected, Unavailable

WRITE_BUFFER_BYTES = 1 << 18


class Writer(Protocol):
    """An artifact being written; nobody sees it before it is whole."""

    created: bool
    """After a clean exit: whether it is this writer's content that the artifact has."""

    def write(self, data: bytes, /) -> object:
        """Append bytes."""


class ArtifactStore(Protocol):
    """Named immutable blobs. Names are relative paths with `/`; listing is in name order.

    Every method raises Unavailable where the store cannot be reached, is full or read-only, and Rejected
    for a name that points outside it.
    """

    def writer(self, name: str) -> AbstractContextManager[Writer]:
        """Write an artifact: created at a clean exit unless it exists by then, dropped at an error."""

    def create(self, name: str, data: bytes, durable: bool = True) -> bool:
        """Create an artifact and return True; return False, changing nothing, where it exists.

        One that is not durable survives the process, but perhaps not the machine.
        """

    def exists(self, name: str) -> bool:
        """Return whether an artifact has been created."""

    def read(self, name: str) -> bytes:
        """Return an artifact whole; raises NotFound."""

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield an artifact's lines without their line ends; raises NotFound at the first."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield an artifact's bytes a piece at a time; raises NotFound at the first."""

    def names(self, prefix: str) -> list[str]:
        """Return the names that start with a prefix, sorted."""

    def delete(self, name: str) -> bool:
        """Delete an artifact and return whether there was one; for what nothing rests on, such as old checkpoints."""

    def uri(self, name: str) -> str:
        """Return where an artifact is, for events and people."""


class DirectoryStore:
    """Artifacts as files below a directory; create-if-absent is a hard link, which is atomic."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._unfinished = self._root / ".unfinished"

    @contextmanager
    def writer(self, name: str, durable: bool = True) -> Iterator[Writer]:
        """Write into an unnamed place, then link it to its name."""
        target = self._path(name)
        with _write_errors(name):
            self._unfinished.mkdir(parents=True, exist_ok=True)
            number, path = tempfile.mkstemp(dir=self._unfinished)
        try:
            with os.fdopen(number, "wb", buffering=WRITE_BUFFER_BYTES) as file:
                new = _NewFile(file.write, name)
                yield new
                with _write_errors(name):
                    file.flush()
                    if durable:
                        os.fsync(number)
            with _write_errors(name):
                target.parent.mkdir(parents=True, exist_ok=True)
                new.created = _link_if_absent(path, target)
        finally:
            os.unlink(path)

    def create(self, name: str, data: bytes, durable: bool = True) -> bool:
        """Create an artifact in one piece; False where it exists."""
        if self.exists(name):
            return False
        with self.writer(name, durable) as file:
            file.write(data)
        return file.created

    def exists(self, name: str) -> bool:
        """Return whether the file is there."""
        return self._path(name).is_file()

    def read(self, name: str) -> bytes:
        """Return the file's bytes."""
        with _read_errors(name):
            return self._path(name).read_bytes()

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the file's lines."""
        with _read_errors(name), open(self._path(name), "rb", buffering=WRITE_BUFFER_BYTES) as file:
            for line in file:
                yield line.rstrip(b"\n")

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield as much of the file as a buffer holds."""
        with _read_errors(name), open(self._path(name), "rb", buffering=0) as file:
            while piece := file.read(WRITE_BUFFER_BYTES):
                yield piece

    def names(self, prefix: str) -> list[str]:
        """Return the names below the prefix's directory that start with it."""
        directory = self._path(prefix.rpartition("/")[0] or ".")
        found = (path.relative_to(self._root).as_posix() for path in directory.rglob("*") if path.is_file())
        return sorted(name for name in found if name.startswith(prefix) and name[0] != ".")

    def delete(self, name: str) -> bool:
        """Remove the file."""
        with _write_errors(name):
            try:
                self._path(name).unlink()
            except FileNotFoundError:
                return False
        return True

    def uri(self, name: str) -> str:
        """Return the file's path."""
        return str(self._path(name))

    def _path(self, name: str) -> Path:
        return self._root / normal_name(name)


class _NewFile:
    """A writer whose operating system errors are this project's."""

    def __init__(self, write: Callable[[bytes], object], name: str) -> None:
        self.created = False
        self._write = write
        self._name = name

    def write(self, data: bytes) -> None:
        try:
            self._write(data)
        except OSError as exc:
            raise _unavailable(self._name, exc) from exc


def _link_if_absent(source: str, target: Path) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    return True


@contextmanager
def _write_errors(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise _unavailable(name, exc) from exc


@contextmanager
def _read_errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as exc:
        raise NotFound(f"there is no artifact {name!r}") from exc
    except OSError as exc:
        raise _unavailable(name, exc) from exc


def _unavailable(name: str, exc: OSError) -> Unavailable:
    code = errno.errorcode.get(exc.errno or 0, "?")
    return Unavailable(f"artifact {name!r}: {exc.strerror} ({code})")


def normal_name(name: str) -> str:
    """Return a name without empty parts, `.` and `..`; raises Rejected where it points outside the store."""
    normal = posixpath.normpath(name)
    if posixpath.isabs(normal) or normal.split("/")[0] == "..":
        raise Rejected(f"artifact name {name!r} points outside the store")
    return normal


def write_lines(store: ArtifactStore, name: str, lines: Iterable[bytes]) -> int:
    """Create an artifact of lines, streaming; returns how many lines were written."""
    count = 0
    with store.writer(name) as file:
        for line in lines:
            file.write(line)
            file.write(b"\n")
            count += 1
    return count
