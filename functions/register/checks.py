"""Checks: what must hold of a model before the registry lists it."""

from shared import registry
from shared.errors import Conflict
from shared.event import run_of
from shared.events import ModelEvaluated, ModelRegistered
from shared.phase import Run


def enlist(event: ModelEvaluated, run: Run) -> ModelRegistered:
    """List a model whose files are what its manifest says, and return that it is listed."""
    manifest = registry.read_manifest(run.store, event.version)
    if (manifest.version, manifest.dataset_run_id) != (event.version, run_of(event.version)):
        raise Conflict(f"the manifest of {event.version} names {manifest.version}, of run {manifest.dataset_run_id}")

    if wrong := registry.tampering(run.store, manifest):
        raise Conflict(f"model {event.version}: {'; '.join(wrong)}")
    uri = run.store.uri(registry.model_file(event.version, registry.MANIFEST))
    registry.register(run.documents, manifest, uri)
    return ModelRegistered(run_id=run.run_id, version=event.version, manifest_uri=uri)
