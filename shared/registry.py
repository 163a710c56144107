"""Registry: what a model version is made of; the manifest is written last, so that a model is whole or absent."""

import hashlib
from datetime import datetime

from pydantic import JsonValue

from shared.frozen import Frozen


class ModelFile(Frozen):
    """What a file of a model holds, so that a copy can be checked."""

    sha256: str
    bytes: int


class ModelRecipe(Frozen):
    """How a model was trained."""

    name: str
    digest: str
    settings: dict[str, JsonValue]


class ModelManifest(Frozen):
    """A model version: its files, and what they were made from."""

    version: str
    artifact_uri: str
    files: dict[str, ModelFile]
    """By name relative to the manifest."""
    base_model: str
    base_uri: str | None
    """None where the base is of a hub."""
    git_commit: str
    dataset_run_id: str
    eval_report_uri: str
    recipe: ModelRecipe
    created_at: datetime


def version_of(run_id: str, recipe_digest: str, base: str) -> str:
    """Return the version that a run's dataset, a recipe and a base make."""
    return f"{run_id}-{hashlib.sha256(f'{recipe_digest} {base}'.encode()).hexdigest()[:8]}"


def model_file(version: str, name: str) -> str:
    """Return the path of a model's file in the artifact store."""
    return f"models/{version}/{name}"
