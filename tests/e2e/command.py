"""Command: the installed `fitsense`, run as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FITSENSE = str(Path(sys.executable).with_name("fitsense"))
ROOT = Path(__file__).parents[2]

CONFIG = """\
name: e2e
seed: 11
as_of_date: 2026-02-17
users: 24
shards: 3
gate: {min_records: 50, max_rejected_share: 0.1, max_split_deviation: 0.2, max_shift: 100}
"""


def fitsense(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command and return how it ended; it has two minutes."""
    command = [FITSENSE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def run_json(*arguments: str | Path, **options: Any) -> dict[str, Any]:
    """Run the command with --json and return its object."""
    done = fitsense(*arguments, "--json", **options)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"exit": done.returncode}


def hashes(outcome: dict[str, Any]) -> dict[str, str]:
    """Return the sha256 of each file of an outcome's dataset."""
    assert outcome["dataset"]["files"], outcome
    return {name: file["sha256"] for name, file in outcome["dataset"]["files"].items()}
