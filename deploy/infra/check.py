"""Check: every Terraform folder, by the engine that this machine has; `make infra-check` runs it.

python -m deploy.infra.check        exit 1 where something is wrong; 0, and said aloud, where nothing could be checked
"""

import re
import sys
from pathlib import Path

from deploy.infra.engine import TERRAFORM, engine
from shared.errors import Unavailable

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def folders() -> list[Path]:
    """Return bootstrap, every module, and every environment."""
    below = [path for group in ("modules", "envs") for path in sorted((TERRAFORM / group).iterdir()) if path.is_dir()]
    return [TERRAFORM / "bootstrap", *below]


def main() -> int:
    """Check all of them; returns the exit status."""
    try:
        run = engine()
    except Unavailable as exc:
        print(f"NOT CHECKED: {exc}")
        return 0
    wrong = []
    for folder in folders():
        done = run.check(folder)
        said = COLOURS.sub("", done.stdout + done.stderr)
        tests = re.search(r"(\d+) passed, (\d+) failed", said)
        name = folder.relative_to(TERRAFORM).as_posix()
        print(
            f"{'ok   ' if done.returncode == 0 else 'WRONG'} {name:<24} {tests[0] if tests else 'no tests'}", flush=True
        )
        if done.returncode:
            wrong.append(f"== {name}\n{said}")
    print(*wrong, sep="\n")
    print(f"terraform over {run.name}: {len(folders()) - len(wrong)} of {len(folders())} folders are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
