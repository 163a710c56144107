"""Small model: the dataset of a real run, and a base of the tiny one's shape that has read next to nothing.

For what depends on shapes and real text, not on what a network knows. For the trainer's environment; the run is
made by the other one.
"""

import subprocess
from pathlib import Path

from trainer_job.base import Base, load_base
from trainer_job.hardware import hardware
from trainer_job.recipe import Recipe, overridden
from trainer_job.tiny.make import make_tiny
from trainer_job.tiny.text import Shares

from shared.artifacts import DirectoryStore

ROOT = Path(__file__).parents[1]
SHARES = Shares(outlines=60, readings=60, openings=60, weeks=60, changes=30, forms=30)


def small_run(out: Path) -> str:
    """Make a run of sixty people below a directory; returns its id."""
    command = [ROOT / ".venv/bin/fitsense", "run", ROOT / "deploy/runs/small.yaml", "--out", out]
    subprocess.run([*command, "--set", "users=60", "--set", "gate.min_records=100"], check=True, cwd=ROOT)
    (run_id,) = (path.name for path in (out / "distillation_dataset").iterdir())
    return run_id


def small_base(recipe: Recipe, out: Path, run_id: str, folder: Path) -> Base:
    """Make a base of a run and load it."""
    store = DirectoryStore(out)
    there = overridden(recipe, [f"base={store.uri(make_tiny(store, run_id, lambda _: None, SHARES))}"])
    return load_base(there, store, run_id, folder, hardware(), lambda _: None)
