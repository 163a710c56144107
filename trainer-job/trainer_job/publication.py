"""Publication: a model's files in the artifact store, each part whole before the next is begun.

models/<version>/adapter/…        weights and peft's config
                 training.json    how they came to be, and their sha256: the receipt of training
                 eval_report.json, eval_report.html
                 model_card.md
                 manifest.json    the sha256 of all of these; written last
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from shared.artifacts import ArtifactStore
from shared.errors import Rejected
from shared.frozen import Frozen
from shared.registry import ModelFile, ModelManifest, ModelRecipe, model_file
from trainer_job.recipe import Recipe
from trainer_job.recipe import digest as recipe_digest

RECEIPT, REPORT, CARD, MANIFEST = "training.json", "eval_report.json", "model_card.md", "manifest.json"


class TrainingReceipt(Frozen):
    """How an adapter came to be."""

    version: str
    base_model: str
    examples: int
    too_long: int
    """Records left out, because they are longer than the context."""
    steps: int
    best_step: int
    stopped_early: bool
    first_validation_loss: float
    """Of the base."""
    best_validation_loss: float
    machine: str
    files: dict[str, ModelFile]


def keep_adapter(store: ArtifactStore, folder: Path, receipt: TrainingReceipt) -> TrainingReceipt:
    """Create an adapter's artifacts and their receipt; returns the receipt that the store has.

    Files without a receipt are those of a start that was killed here, perhaps on a machine that rounds otherwise:
    they are removed first, so that no adapter is of two trainings.
    """
    for name in store.names(model_file(receipt.version, "adapter/")):
        store.delete(name)
    files = {}
    for path in sorted(folder.iterdir()):
        name, content = f"adapter/{path.name}", path.read_bytes()
        store.create(model_file(receipt.version, name), content)
        files[name] = _described(content)
    whole = receipt.model_copy(update={"files": files})
    store.create(model_file(receipt.version, RECEIPT), whole.model_dump_json(indent=2).encode() + b"\n")
    return read_receipt(store, receipt.version)


def read_receipt(store: ArtifactStore, version: str) -> TrainingReceipt:
    """Return the receipt of a training; raises NotFound."""
    return TrainingReceipt.model_validate_json(store.read(model_file(version, RECEIPT)))


def fetch_adapter(store: ArtifactStore, receipt: TrainingReceipt, folder: Path) -> Path:
    """Write an adapter's files into a folder; raises Rejected where one is not what the receipt says."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, expected in receipt.files.items():
        content = store.read(model_file(receipt.version, name))
        if _described(content) != expected:
            raise Rejected(f"{name} of {receipt.version} is not what was trained: it was altered after it was written")
        (folder / Path(name).name).write_bytes(content)
    return folder


def keep_manifest(
    store: ArtifactStore, receipt: TrainingReceipt, run_id: str, recipe: Recipe, base_uri: str | None, commit: str
) -> None:
    """Create the manifest over everything that a model has."""
    version = receipt.version
    whole = model_file(version, "")
    names = [name.removeprefix(whole) for name in store.names(whole) if not name.startswith(checkpoints_of(version))]
    manifest = ModelManifest(
        version=version,
        artifact_uri=store.uri(f"models/{version}"),
        files={name: _described(store.read(whole + name)) for name in names if name != MANIFEST},
        base_model=receipt.base_model,
        base_uri=base_uri,
        git_commit=commit,
        dataset_run_id=run_id,
        eval_report_uri=store.uri(model_file(version, REPORT)),
        recipe=ModelRecipe(name=recipe.name, digest=recipe_digest(recipe), settings=recipe.model_dump(mode="json")),
        created_at=datetime.now(UTC),
    )
    store.create(model_file(version, MANIFEST), manifest.model_dump_json(indent=2).encode() + b"\n")


def checkpoints_of(version: str) -> str:
    """Return where the checkpoints of a model's training lie."""
    return model_file(version, "checkpoints/")


def _described(content: bytes) -> ModelFile:
    return ModelFile(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
