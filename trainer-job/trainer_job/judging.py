"""Judging: the evaluation stage of a job: the student against its base and against what is served now."""

from pathlib import Path

from shared.artifacts import ArtifactStore
from shared.documents import Documents
from shared.errors import Conflict, NotFound
from shared.registry import ENVIRONMENTS, EVAL_REPORT, ModelManifest, model_file, pointer, read_manifest, tampering
from trainer_job.base import Base, load_base
from trainer_job.evaluation.contestants import Contestant
from trainer_job.evaluation.evaluate import evaluate
from trainer_job.job import Job
from trainer_job.model_card import model_card
from trainer_job.publication import TrainingReceipt

CARD = "model_card.md"


def judge(job: Job, receipt: TrainingReceipt, adapter: Path) -> None:
    """Create the report of a model, its page and its card."""
    store, version, base = job.runtime.store, receipt.version, job.base()
    report = evaluate(
        base,
        adapter,
        store,
        job.run_id,
        version,
        job.recipe.context_tokens,
        served=_served(job, base, version),
        told=job.telling.counted,
    )
    store.create(model_file(version, CARD), model_card(receipt, job.run_id, job.recipe))
    store.create(model_file(version, EVAL_REPORT), report.model_dump_json(indent=2).encode() + b"\n")


def _served(job: Job, base: Base, version: str) -> Contestant | None:
    """Return what serves people now, if that is another model and still what its manifest says."""
    served = served_version(job.runtime.documents)
    if served is None or served == version:
        return None
    try:
        manifest = read_manifest(job.runtime.store, served)
        wrong = tampering(job.runtime.store, manifest)
    except (NotFound, Conflict) as exc:
        wrong = (str(exc),)
    if wrong:
        job.telling.line(f"not compared with {served}, which is served: {wrong[0]}")
        return None
    adapter = _fetched(job.runtime.store, manifest, job.work / "served")
    return Contestant(served, base if manifest.base_model == base.name else _other_base(job, manifest), adapter)


def served_version(documents: Documents) -> str | None:
    """Return the version that serves the environment nearest to people."""
    pointers = (pointer(documents, environment)[0] for environment in reversed(ENVIRONMENTS))
    return next((found.stable for found in pointers if found and found.stable), None)


def _fetched(store: ArtifactStore, manifest: ModelManifest, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in manifest.files:
        if name.startswith("adapter/"):
            (folder / Path(name).name).write_bytes(store.read(model_file(manifest.version, name)))
    return folder


def _other_base(job: Job, manifest: ModelManifest) -> Base:
    there = job.recipe.model_copy(update={"base": manifest.base_uri or manifest.base_model})
    folder = job.work / "served-base"
    return load_base(there, job.runtime.store, job.run_id, folder, job.hardware, job.telling.pretraining)
