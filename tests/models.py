"""Models: registered versions whose files and reports a test makes up."""

from datetime import UTC, datetime

from shared import registry
from shared.artifacts import ArtifactStore
from shared.registry import FileDigest, ModelManifest, RecipeUsed

RUN_ID = "20260217T080910Z-0a1b2c3d"


def put_model(
    store: ArtifactStore, recipe: str = "tiny_cpu", report: bytes = b"{}", run_id: str = RUN_ID
) -> ModelManifest:
    """Write a version's files and its manifest, as the trainer job does."""
    version = registry.version_of(run_id, recipe, "tiny")
    store.create(registry.model_file(version, "adapter/adapter_config.json"), b'{"r": 8}')
    store.create(registry.model_file(version, "adapter/adapter_model.safetensors"), recipe.encode() * 1000)
    store.create(registry.model_file(version, "eval_report.json"), report)
    manifest = ModelManifest(
        version=version,
        artifact_uri=store.uri(registry.model_file(version, "")),
        files=registry.digest_files(store, version),
        base_model="tiny",
        base_uri=None,
        git_commit="0" * 40,
        dataset_run_id=run_id,
        eval_report_uri=store.uri(registry.model_file(version, "eval_report.json")),
        recipe=RecipeUsed(name=recipe, digest=recipe, settings={"epochs": 2}),
        created_at=datetime(2026, 2, 17, tzinfo=UTC),
    )
    registry.write_manifest(store, manifest)
    return manifest


def other_digest() -> FileDigest:
    """Return the digest of no file that a test makes."""
    return FileDigest(sha256="0" * 64, bytes=1)
