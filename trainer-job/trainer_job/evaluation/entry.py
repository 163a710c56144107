"""Entry: an evaluation as a job's part, and as a command of its own.

models/<version>/eval_report.html   the page; written first
                 eval_report.json   what the promotion gate reads; the receipt
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.artifacts import ArtifactStore
from shared.documents import Documents
from shared.errors import NotFound, Rejected
from shared.eval_report import EvalReport
from shared.registry import ENVIRONMENTS, EVAL_REPORT, ModelManifest, digest_file, model_file, pointer, read_manifest
from shared.runtime import runtime
from trainer_job.base import Base, load_base
from trainer_job.evaluation.card import model_card
from trainer_job.evaluation.contestants import Contestant
from trainer_job.evaluation.evaluate import EvalSettings, evaluate_model
from trainer_job.evaluation.page import render_page
from trainer_job.hardware import hardware
from trainer_job.recipe import Recipe

if TYPE_CHECKING:
    from trainer_job.job import Job

PAGE: Final = "eval_report.html"
CARD: Final = "model_card.md"
_ADAPTER: Final = "adapter/"
UNREGISTERED: Final = "unregistered"
"""What a report calls a model that is no version."""


def evaluate(job: "Job", version: str, adapter: Path) -> None:
    """Create a version's page and report, in this order; compared with what is served, where anything is."""
    store = job.runtime.store
    base, asked = job.base(), job.recipe.examination
    told = _Lines(job.telling.line)
    report = evaluate_model(
        Contestant(version, base, adapter),
        store,
        job.run_id,
        job.recipe.context_tokens,
        EvalSettings(**asked.model_dump()),
        served=_served(store, job.runtime.documents, version, base, job.work / "served"),
        told=told,
    )
    store.create(model_file(version, PAGE), render_page(report).encode())
    store.create(model_file(version, EVAL_REPORT), _json(report))


def run(chosen: argparse.Namespace, recipe: Recipe) -> None:
    """Evaluate a registered version, or an adapter in a directory, and write report, page and card into a folder."""
    around = runtime()
    if chosen.version:
        manifest = read_manifest(around.store, chosen.version)
        recipe = Recipe.model_validate(manifest.recipe.settings)
        run_id, adapter = manifest.dataset_run_id, _fetched(around.store, manifest, chosen.work / "adapter")
    elif chosen.adapter and chosen.run_id:
        run_id, adapter = chosen.run_id, chosen.adapter
    else:
        raise Rejected("name a VERSION, or an adapter's folder with --adapter and the run of its dataset with --run")
    version = chosen.version or UNREGISTERED
    base = load_base(recipe, around.store, run_id, chosen.work / "base", hardware(), lambda pace: None)
    report = evaluate_model(
        Contestant(version, base, adapter),
        around.store,
        run_id,
        recipe.context_tokens,
        settings(chosen),
        None if chosen.alone else _served(around.store, around.documents, version, base, chosen.work / "served"),
        _Lines(lambda text: print(text, file=sys.stderr, flush=True)),
    )
    chosen.into.mkdir(parents=True, exist_ok=True)
    (chosen.into / EVAL_REPORT).write_bytes(_json(report))
    (chosen.into / PAGE).write_text(render_page(report), encoding="utf-8")
    (chosen.into / CARD).write_text(model_card(report, recipe), encoding="utf-8")
    print("\n".join(summary(report)))
    print(f"report {chosen.into / PAGE}")


def settings(chosen: argparse.Namespace) -> EvalSettings:
    """Return what a command line asks for."""
    return EvalSettings(
        test=chosen.test,
        fresh=chosen.fresh,
        seed=chosen.seed,
        modes=tuple(chosen.modes),
        min_slice_size=chosen.min_slice_size,
        robustness=chosen.robustness,
        batch=chosen.batch,
    )


def summary(report: EvalReport) -> list[str]:
    """Return the most important rates, a line for each way of decoding and model."""
    lines = []
    models = {report.version: report.modes}
    models |= {one.name: one.modes for one in (report.base, report.served, report.teacher) if one}
    for name, modes in models.items():
        for mode, found in modes.items():
            known = found.overall.rates.items()
            rates = (f"{metric} {one.rate:.2f} [{one.low:.2f}, {one.high:.2f}]" for metric, one in known)
            curated = f", safety prompts {found.safety.passed.rate:.2f}" if found.safety else ""
            lines.append(f"{name}, {mode}: {', '.join(rates)}{curated}")
    return lines


def _json(report: EvalReport) -> bytes:
    return report.model_dump_json().encode() + b"\n"


def _served(store: ArtifactStore, documents: Documents, version: str, base: Base, work: Path) -> Contestant | None:
    """Return the model that serves the environment nearest to people; None where nothing but this one serves."""
    for environment in reversed(ENVIRONMENTS):
        found, _ = pointer(documents, environment)
        served = found.stable if found else None
        if served is not None and served != version:
            manifest = read_manifest(store, served)
            return Contestant(
                served, _base_of(store, manifest, base, work), _fetched(store, manifest, work / "adapter")
            )
    return None


def _base_of(store: ArtifactStore, manifest: ModelManifest, base: Base, work: Path) -> Base:
    if manifest.base_model == base.name:
        return base
    recipe = Recipe.model_validate(manifest.recipe.settings)
    return load_base(recipe, store, manifest.dataset_run_id, work / "base", hardware(), lambda pace: None)


def _fetched(store: ArtifactStore, manifest: ModelManifest, folder: Path) -> Path:
    """Return a folder with a version's adapter; raises Rejected where a file is not what its manifest says."""
    names = [name for name in manifest.files if name.startswith(_ADAPTER)]
    if not names:
        raise NotFound(f"model {manifest.version} has no adapter")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = model_file(manifest.version, name)
        if digest_file(store, path) != manifest.files[name]:
            raise Rejected(f"{name} of {manifest.version} is not what its manifest says; it was altered")
        (folder / Path(name).name).write_bytes(store.read(path))
    return folder


class _Lines:
    """Tells how far an evaluation is, each part and each tenth of it once."""

    def __init__(self, line: Callable[[str], None]) -> None:
        self._line = line
        self._last = ("", -1)

    def __call__(self, what: str, done: int, of: int) -> None:
        now = (what, 10 * done // max(1, of))
        if now != self._last:
            self._last = now
            self._line(f"{what} {done}/{of}")
