"""Versions: models in a store and a registry, made of toy adapters; promoting moves the pointer."""

from pathlib import Path
from tempfile import TemporaryDirectory

from shared.artifacts import ArtifactStore
from shared.documents import Documents
from shared.events import ModelPromoted
from shared.registry import (
    ModelManifest,
    Pointer,
    RecipeUsed,
    digest_files,
    model_file,
    move,
    pointer,
    write_manifest,
)
from tests.serving.toy import toy_adapter

RUN = "20261125T120000Z-0123abcd"


def version(number: int) -> str:
    """Return the name of a version."""
    return f"{RUN}-{number:08x}"


def put_model(store: ArtifactStore, number: int) -> str:
    """Put a version into a store, its manifest last; returns its name."""
    name = version(number)
    with TemporaryDirectory() as place:
        for file in toy_adapter(Path(place) / "adapter", number).iterdir():
            store.create(model_file(name, f"adapter/{file.name}"), file.read_bytes())
    write_manifest(
        store,
        ModelManifest(
            version=name,
            artifact_uri=store.uri(model_file(name, "")),
            files=digest_files(store, name),
            base_model="toy",
            base_uri=None,
            git_commit="0" * 40,
            dataset_run_id=RUN,
            eval_report_uri="",
            recipe=RecipeUsed(name="toy", digest=f"{number:064x}", settings={}),
            created_at="2026-11-25T12:00:00Z",  # type: ignore[arg-type]
        ),
    )
    return name


def promote(documents: Documents, name: str, percent: int = 100) -> ModelPromoted:
    """Point the environment at a version; returns the event that tells of it."""
    now, seen = pointer(documents, "dev")
    previous = now.stable if now else None
    moves = now.moves + 1 if now else 1
    wanted = Pointer(version=name, percent=percent, previous=previous, decision_id=f"d{moves}", moves=moves)
    assert move(documents, "dev", seen, wanted)
    return ModelPromoted(
        run_id=RUN, version=name, environment="dev", percent=percent, manifest_uri="", decision_id=f"d{moves}"
    )
