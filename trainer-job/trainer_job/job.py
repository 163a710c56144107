"""Job: from a run's dataset to a model in the registry; started again at any point, it goes on or finds it done.

    check     every file of the dataset against its manifest
    base      made, copied or found                                receipt: base.json of a tiny base
    train     checkpoints in the store                             receipt: training.json
    evaluate  through the code that serves                         receipt: eval_report.json
    publish   model card, then manifest.json, then the event       receipt: manifest.json

Two jobs for one version: a lease lets one work. The other waits for as long as a dead one's lease lasts, then
finds the work done or says that it is under way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from shared.eval_report import EvalReport
from shared.events import ModelEvaluated
from shared.lease import DocumentLeases
from shared.registry import EVAL_REPORT, MANIFEST, model_file, version_of
from shared.runtime import Runtime
from trainer_job.base import Base, load_base, name_base
from trainer_job.checkpoints import Checkpoints
from trainer_job.dataset import check_dataset, split_lines
from trainer_job.examples import read_examples
from trainer_job.hardware import Hardware
from trainer_job.interruption import Interruption
from trainer_job.limits import explained
from trainer_job.origin import card
from trainer_job.publication import (
    CARD,
    RECEIPT,
    TrainingReceipt,
    fetch_adapter,
    keep_adapter,
    keep_manifest,
    read_receipt,
    training_file,
)
from trainer_job.recipe import Recipe, digest
from trainer_job.telling import Telling
from trainer_job.training import Learn, Lesson, Surroundings, Trained, train
from trainer_job.watch import Progress

_WAIT_LEASES: Final = 3
"""A job waits for another of its version as long as so many leases last."""


class Evaluate(Protocol):
    """Judges a model."""

    def __call__(self, job: "Job", version: str, adapter: Path) -> None:
        """Create eval_report.html and, last, eval_report.json of a version."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job: what is trained, and with what."""

    run_id: str
    recipe: Recipe
    runtime: Runtime
    work: Path
    """A directory of its own, for copies; nothing in it is needed by the next start."""
    hardware: Hardware
    commit: str
    telling: Telling
    interruption: Interruption

    def base(self) -> Base:
        """Return the base that the student starts from, loaded afresh."""
        store, report = self.runtime.store, self.telling.pretraining
        return load_base(self.recipe, store, self.run_id, self.work / "base", self.hardware, report)

    def checkpoints(self, version: str) -> Checkpoints:
        """Return the checkpoints of a version's training."""
        return Checkpoints(self.runtime.store, training_file(self.run_id, version, "checkpoints"))


def run_job(job: Job, evaluate: Evaluate) -> ModelEvaluated:
    """Make a model, or what is missing of it, and publish that it is there; raises what keeps it from being made."""
    runtime = job.runtime
    check_dataset(runtime.store, job.run_id)
    version = version_of(job.run_id, digest(job.recipe), name_base(job.recipe, runtime.store, job.run_id))
    job.telling.version(version, job.run_id, runtime.settings.job)
    lease_s = runtime.settings.lease_s
    with DocumentLeases(runtime.documents, lease_s, _WAIT_LEASES * lease_s).held(f"training/{version}"):
        if not runtime.store.exists(model_file(version, MANIFEST)):
            _make(job, version, evaluate)
        event = ModelEvaluated(
            run_id=job.run_id, version=version, manifest_uri=runtime.store.uri(model_file(version, MANIFEST))
        )
        runtime.bus.publish(event)
        runtime.bus.flush()
        job.checkpoints(version).remove()
    job.telling.ended("done")
    return event


def _make(job: Job, version: str, evaluate: Evaluate) -> None:
    store, telling = job.runtime.store, job.telling
    if store.exists(model_file(version, RECEIPT)):
        receipt = read_receipt(store, version)
    else:
        receipt = _train(job, version)
    with explained(job.recipe):
        adapter = fetch_adapter(store, receipt, job.work / "adapter")
        telling.stage("evaluating")
        if not store.exists(model_file(version, EVAL_REPORT)):
            evaluate(job, version, adapter)
    telling.stage("publishing")
    report = EvalReport.model_validate_json(store.read(model_file(version, EVAL_REPORT)))
    store.create(model_file(version, CARD), card(report, receipt, job.recipe).encode())
    keep_manifest(store, receipt, job.run_id, job.recipe, _base_uri(job, receipt.base_model), job.commit)


def learner(job: Job) -> Learn:
    """Return how a search trains: from the base, without checkpoints."""
    check_dataset(job.runtime.store, job.run_id)

    def learn(recipe: Recipe, judged: Callable[[Progress], None]) -> float:
        base = job.base()
        around = Surroundings(job.work / "training", job.hardware, None, judged, job.interruption)
        return train(recipe, base, _lesson(job, base), around).best_validation_loss

    return learn


def _lesson(job: Job, base: Base) -> Lesson:
    learned, judged = (
        read_examples(
            split_lines(job.runtime.store, job.run_id, split), base.tokenizer, job.recipe.context_tokens, split
        )
        for split in ("train", "val")
    )
    return Lesson(learned, judged)


def _train(job: Job, version: str) -> TrainingReceipt:
    store, telling, recipe = job.runtime.store, job.telling, job.recipe
    telling.stage("base")
    with explained(recipe):
        base = job.base()
    lesson = _lesson(job, base)
    learned = lesson.learned
    left_out = f"; {len(learned.too_long)} longer than the context left out" if learned.too_long else ""
    telling.line(f"{len(learned.kept)} examples, {learned.tokens} tokens, {learned.learned_tokens} learned{left_out}")
    telling.stage("training")
    around = Surroundings(
        work=job.work / "training",
        hardware=job.hardware,
        checkpoints=job.checkpoints(version),
        report=telling.training,
        interruption=job.interruption,
    )
    trained = train(recipe, base, lesson, around)
    telling.stage("saving")
    telling.line(
        f"validation loss {trained.first_validation_loss:.3f} -> {trained.best_validation_loss:.3f} "
        f"at step {trained.best_step} of {trained.steps}"
    )
    _keep_logs(job, version, around.work / "tensorboard")
    receipt = _receipt(version, base.name, job.hardware, lesson, trained)
    return keep_adapter(store, trained.adapter, receipt)


def _receipt(version: str, base: str, hardware: Hardware, lesson: Lesson, trained: Trained) -> TrainingReceipt:
    return TrainingReceipt(
        version=version,
        base_model=base,
        examples=len(lesson.learned.kept),
        too_long=len(lesson.learned.too_long),
        steps=trained.steps,
        best_step=trained.best_step,
        stopped_early=trained.stopped_early,
        first_validation_loss=trained.first_validation_loss,
        best_validation_loss=trained.best_validation_loss,
        machine=hardware.name,
        files={},
    )


def _keep_logs(job: Job, version: str, folder: Path) -> None:
    for path in sorted(folder.glob("events.*")):
        name = training_file(job.run_id, version, f"tensorboard/{path.name}")
        job.runtime.store.create(name, path.read_bytes())


def _base_uri(job: Job, base: str) -> str | None:
    """Return where a base lies that is not of a hub."""
    if base.startswith("models/"):
        return job.runtime.store.uri(base)
    return base if base.startswith(("/", "gs://")) else None
