"""Dataset: the splits of a run as its dataset phase wrote them, refused where a byte differs from its manifest."""

import hashlib

from shared.artifacts import ArtifactStore
from shared.errors import NotFound, Rejected
from shared.paths import dataset_file
from shared.records import DatasetManifest


def split_lines(store: ArtifactStore, run_id: str, split: str) -> list[bytes]:
    """Return the chat examples of a split; raises NotFound without a dataset, Rejected where it was changed."""
    try:
        manifest = DatasetManifest.model_validate_json(store.read(dataset_file(run_id, "manifest.json")))
    except NotFound as exc:
        raise NotFound(f"run {run_id!r} has no dataset; `fitsense runs` lists the runs there are") from exc
    name = f"chat_{split}.jsonl"
    content = store.read(dataset_file(run_id, name))
    expected = manifest.files[name]
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise Rejected(
            f"{name} of run {run_id} is not what its manifest says: {len(content)} bytes, {expected.bytes} expected; "
            "it was truncated or altered after it was written"
        )
    return content.splitlines()
