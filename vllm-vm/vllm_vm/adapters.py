"""Adapters: a version's files on this machine, each with the sha256 that the manifest says.

    <folder>/<version>/     whole and checked; a folder of its own, because vLLM's cache goes by the path
    <folder>/.<version>-…   being fetched; never loaded

A folder is checked again whenever it is used, since a disk may rot and a hand may slip.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from shared.artifacts import ArtifactStore
from shared.errors import Rejected, Unavailable
from shared.registry import FileDigest, ModelManifest, model_file

PREFIX = "adapter/"
NEEDED = ("adapter_config.json", "adapter_model.safetensors")


def adapter_files(manifest: ModelManifest) -> dict[str, FileDigest]:
    """Return the files of a version's adapter by their names in its folder; raises Rejected where one is lacking."""
    found = {name.removeprefix(PREFIX): one for name, one in manifest.files.items() if name.startswith(PREFIX)}
    for name in NEEDED:
        if name not in found:
            raise Rejected(f"the manifest of {manifest.version} has no {PREFIX}{name}")
    return found


def fetch(store: ArtifactStore, manifest: ModelManifest, folder: Path) -> Path:
    """Return the folder of a version's adapter, fetched if it is not here.

    Raises Rejected where a file is not what the manifest says, NotFound where it is not in the store, and
    Unavailable where store or disk do not work.
    """
    wanted = adapter_files(manifest)
    place = folder / manifest.version
    if place.is_dir():
        if not differences(place, wanted):
            return place
        shutil.rmtree(place)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{manifest.version}-", dir=folder))
    try:
        for name, digest in wanted.items():
            _fetch_file(store, model_file(manifest.version, PREFIX + name), unfinished / name, digest)
        os.replace(unfinished, place)
    except OSError as exc:
        raise Unavailable(f"cannot write adapter {manifest.version}: {exc.strerror}") from exc
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return place


def differences(place: Path, wanted: dict[str, FileDigest]) -> list[str]:
    """Return the names of files that are not as wanted, or should not be there."""
    there = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    wrong = [name for name, digest in wanted.items() if name not in there or _digest(place / name) != digest]
    return wrong + sorted(there - wanted.keys())


def clean(folder: Path, kept: set[str]) -> None:
    """Delete the folders of versions that are not kept, and what a fetch that died left behind."""
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.is_dir() and place.name not in kept:
            shutil.rmtree(place, ignore_errors=True)


def _fetch_file(store: ArtifactStore, name: str, target: Path, wanted: FileDigest) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    sha, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        for piece in store.pieces(name):
            file.write(piece)
            sha.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    found = FileDigest(sha256=sha.hexdigest(), bytes=size)
    if found != wanted:
        raise Rejected(
            f"{name} is not what its manifest says: {found.bytes} bytes with sha256 {found.sha256[:12]}…, "
            f"not {wanted.bytes} with {wanted.sha256[:12]}…"
        )


def _digest(file: Path) -> FileDigest:
    with file.open("rb") as opened:
        return FileDigest(sha256=hashlib.file_digest(opened, "sha256").hexdigest(), bytes=file.stat().st_size)
