"""Publication: a model's files in the artifact store, each part whole before the next is begun.

models/<version>/adapter/…        weights and peft's config
                 training.json    how they came to be, and their sha256: the receipt of training
                 eval_report.json, eval_report.html
                 model_card.md
                 manifest.json    the sha256 of all of these; written last
"""

from datetime import UTC, datetime
from pathlib import Path

from shared.artifacts import ArtifactStore
from shared.errors import Rejected
from shared.frozen import Frozen
from shared.paths import run_file
from shared.registry import (
    EVAL_REPORT,
    FileDigest,
    ModelManifest,
    RecipeUsed,
    digest_file,
    digest_files,
    model_file,
    write_manifest,
)
from trainer_job.recipe import Recipe
from trainer_job.recipe import digest as recipe_digest

RECEIPT, CARD = "training.json", "model_card.md"


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
    files: dict[str, FileDigest]


def keep_adapter(store: ArtifactStore, folder: Path, receipt: TrainingReceipt) -> TrainingReceipt:
    """Create an adapter's artifacts and their receipt; returns the receipt that the store has.

    Files without a receipt are those of a start that was killed here, perhaps on a machine that rounds otherwise:
    they are removed first, so that no adapter is of two trainings.
    """
    for name in store.names(model_file(receipt.version, "adapter/")):
        store.delete(name)
    files = {}
    for path in sorted(folder.iterdir()):
        name = f"adapter/{path.name}"
        store.create(model_file(receipt.version, name), path.read_bytes())
        files[name] = digest_file(store, model_file(receipt.version, name))
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
        if digest_file(store, model_file(receipt.version, name)) != expected:
            raise Rejected(f"{name} of {receipt.version} is not what was trained: it was altered after it was written")
        (folder / Path(name).name).write_bytes(store.read(model_file(receipt.version, name)))
    return folder


def keep_manifest(
    store: ArtifactStore, receipt: TrainingReceipt, run_id: str, recipe: Recipe, base_uri: str | None, commit: str
) -> None:
    """Create the manifest over everything that a model has."""
    version = receipt.version
    manifest = ModelManifest(
        version=version,
        artifact_uri=store.uri(f"models/{version}"),
        files=digest_files(store, version),
        base_model=receipt.base_model,
        base_uri=base_uri,
        git_commit=commit,
        dataset_run_id=run_id,
        eval_report_uri=store.uri(model_file(version, EVAL_REPORT)),
        recipe=RecipeUsed(name=recipe.name, digest=recipe_digest(recipe), settings=recipe.model_dump(mode="json")),
        created_at=datetime.now(UTC),
    )
    write_manifest(store, manifest)


def training_file(run_id: str, version: str, name: str) -> str:
    """Return the path of what a training leaves beside its model: checkpoints while it lasts, logs."""
    return run_file(run_id, f"training/{version}/{name}")
