"""Checkpoints: how far training is, in the artifact store, so that a job goes on wherever it is started again.

    <prefix>/<step, six digits>.tar   first `sha256.json` with the digest of each file, then the files

A checkpoint is one artifact: whoever writes it may be killed at any moment, and it is there whole or not at all.
What lies in the local folder is a copy; it is never trusted after a restart.
"""

import hashlib
import io
import json
import logging
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.artifacts import ArtifactStore

log = logging.getLogger("fitsense.checkpoints")

_DIGESTS: Final = "sha256.json"
_STATE: Final = "trainer_state.json"


class Damaged(Exception):
    """A checkpoint is not what was written."""


class Checkpoints:
    """The checkpoints of one training."""

    def __init__(self, store: ArtifactStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix.rstrip("/")

    def restore(self, folder: Path) -> Path | None:
        """Empty a folder, lay the kept checkpoints into it, and return the newest that can be gone on from.

        One that is damaged, or whose best checkpoint is, is deleted: training comes to that step again.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for step in self.steps():
            try:
                _unpack(self._store.read(self._name(step)), _local(folder, step))
            except Damaged as exc:
                log.warning("a checkpoint is passed over: %s", exc, extra={"artifact": self._name(step)})
                self._drop(step, folder)
        for step in reversed(self.steps()):
            if _relocate_best(_local(folder, step)):
                return _local(folder, step)
            self._drop(step, folder)
        return None

    def keep(self, folder: Path) -> None:
        """Have the checkpoints of a folder in the store, and no others; new ones come before old ones go."""
        local = {int(one.name.rpartition("-")[2]) for one in folder.glob("checkpoint-*")}
        kept = set(self.steps())
        for step in sorted(local - kept):
            with self._store.writer(self._name(step)) as file:
                file.write(_pack(_local(folder, step)))
        for step in sorted(kept - local):
            self._store.delete(self._name(step))

    def remove(self) -> None:
        """Delete all of them: the training is done."""
        for step in self.steps():
            self._store.delete(self._name(step))

    def steps(self) -> list[int]:
        """Return the steps of which there is a checkpoint, in order."""
        names = self._store.names(f"{self._prefix}/")
        return sorted(int(Path(name).stem) for name in names if name.endswith(".tar"))

    def _name(self, step: int) -> str:
        return f"{self._prefix}/{step:06d}.tar"

    def _drop(self, step: int, folder: Path) -> None:
        self._store.delete(self._name(step))
        shutil.rmtree(_local(folder, step), ignore_errors=True)


def _local(folder: Path, step: int) -> Path:
    return folder / f"checkpoint-{step}"


def _pack(folder: Path) -> bytes:
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in {_DIGESTS: json.dumps(digests).encode(), **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _unpack(packed: bytes, folder: Path) -> None:
    """Write a checkpoint's files; raises Damaged, having written nothing."""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            files = {entry.name: file.read() for entry in tar if (file := tar.extractfile(entry))}
        digests: Mapping[str, str] = json.loads(files.pop(_DIGESTS))
    except (tarfile.TarError, EOFError, KeyError, ValueError) as exc:
        raise Damaged(f"unreadable: {exc}") from exc
    if {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} != digests:
        raise Damaged("its files are not those that were written")
    folder.mkdir()
    for name in digests:
        (folder / Path(name).name).write_bytes(files[name])


def _relocate_best(checkpoint: Path) -> bool:
    """Say in a checkpoint where its best one lies now; returns whether that is there."""
    state = json.loads((checkpoint / _STATE).read_text())
    if state["best_global_step"] is None:
        return True
    best = _local(checkpoint.parent, state["best_global_step"])
    (checkpoint / _STATE).write_text(json.dumps(state | {"best_model_checkpoint": str(best)}))
    return best.is_dir()
