"""Check: every Terraform folder, by the engine that this machine has, and checkov over all of them.

python -m deploy.infra.check [--provider]     exit 1 where something is wrong; what could not be checked is said aloud

With --provider the google provider is downloaded where that can be done; else its stand-in comes first, which needs no
network and gives the same answer everywhere.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from deploy.infra.engine import ROOT, TERRAFORM, Done, Engine, copied, engine
from deploy.preflight import usable_cores
from shared.errors import Unavailable
from shared.settings import environment

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"


def folders() -> list[Path]:
    """Return bootstrap, every module, and every environment."""
    below = [path for group in ("modules", "envs") for path in sorted((TERRAFORM / group).iterdir()) if path.is_dir()]
    return [TERRAFORM / "bootstrap", *below]


def main(arguments: list[str]) -> int:
    """Check all of them; returns the exit status."""
    wrong = _terraform("--provider" in arguments) + _checkov()
    print(*wrong, sep="\n")
    return 1 if wrong else 0


def _terraform(provider: bool) -> list[str]:
    """Return what each folder that is wrong has to say."""
    try:
        run = engine("provider" if provider else "offline")
    except Unavailable as exc:
        print(f"NOT CHECKED: {exc}")
        return []
    names = [folder.relative_to(TERRAFORM).as_posix() for folder in folders()]
    with tempfile.TemporaryDirectory() as copy, ThreadPoolExecutor(usable_cores()) as together:
        inside = copied(Path(copy), backends=True) / "deploy" / "terraform"
        found = list(together.map(partial(_checked, run, inside), names))
    wrong = [one for one in found if one]
    print(f"terraform over {run.name}: {len(names) - len(wrong)} of {len(names)} folders are right")
    return wrong


def _checked(run: Engine, copy: Path, name: str) -> str:
    """Check a folder and say so in a line; returns what is wrong with it, or nothing."""
    done = run.check(copy / name)
    said = _said(done)
    tests = re.search(r"(\d+) passed, (\d+) failed", said)
    print(f"{'WRONG' if done.returncode else 'ok   '} {name:<24} {tests[0] if tests else 'no tests'}", flush=True)
    return f"== {name}\n{said}" if done.returncode else ""


def _checkov() -> list[str]:
    found = str(CHECKOV) if CHECKOV.exists() else shutil.which("checkov")
    if not found:
        print("NOT CHECKED: checkov is not installed; make .venv-checkov/.ready")
        return []
    rules = ["--config-file", str(TERRAFORM / ".checkov.yaml"), "--directory", str(TERRAFORM)]
    # Told of no mappings, it does not ask its maker's server for any.
    told = environment() | {"CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false", "LOG_LEVEL": "ERROR"}
    done = subprocess.run([found, *rules], capture_output=True, text=True, check=False, env=told)  # noqa: S603
    counts = re.search(r"Passed checks: \d+, Failed checks: \d+.*", _said(done))
    print(f"checkov: {counts[0] if counts else 'it did not say what it has checked'}")
    return [] if counts and not done.returncode else [f"== checkov\n{_said(done)}"]


def _said(done: Done) -> str:
    return COLOURS.sub("", done.stdout + done.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
