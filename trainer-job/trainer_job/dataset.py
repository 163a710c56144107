"""Dataset: the files of a run as its dataset phase wrote them, refused where a byte differs from its manifest."""

import hashlib

from shared.artifacts import ArtifactStore
from shared.errors import NotFound, Rejected
from shared.paths import dataset_file
from shared.records import DatasetFile, DatasetManifest


def check_dataset(store: ArtifactStore, run_id: str) -> DatasetManifest:
    """Return a dataset's manifest, every file held against it; raises NotFound, or Rejected naming the file."""
    manifest = _manifest(store, run_id)
    for name, expected in manifest.files.items():
        _checked(store, run_id, name, expected)
    return manifest


def split_lines(store: ArtifactStore, run_id: str, split: str) -> list[bytes]:
    """Return the chat examples of a split; raises NotFound without a dataset, Rejected where it was changed."""
    name = f"chat_{split}.jsonl"
    return _checked(store, run_id, name, _manifest(store, run_id).files[name]).splitlines()


def _manifest(store: ArtifactStore, run_id: str) -> DatasetManifest:
    try:
        content = store.read(dataset_file(run_id, "manifest.json"))
    except NotFound as exc:
        raise NotFound(f"run {run_id!r} has no dataset; `fitsense runs` lists the runs there are") from exc
    try:
        return DatasetManifest.model_validate_json(content)
    except ValueError as exc:
        raise Rejected(f"the dataset's manifest of run {run_id} cannot be read; it was altered") from exc


def _checked(store: ArtifactStore, run_id: str, name: str, expected: DatasetFile) -> bytes:
    try:
        content = store.read(dataset_file(run_id, name))
    except NotFound as exc:
        raise NotFound(f"{name} of run {run_id} is missing, though its manifest names it") from exc
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise Rejected(
            f"{name} of run {run_id} is not what its manifest says: {len(content)} bytes, {expected.bytes} expected; "
            "it was truncated or altered after it was written"
        )
    return content
