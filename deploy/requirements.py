"""Requirements: what images install: the project's dependencies, one a line. Versions are constraints.txt's."""

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: str) -> list[str]:
    """Return the dependencies that a pyproject.toml names, without those of any extra."""
    found: list[str] = tomllib.loads(pyproject)["project"]["dependencies"]
    return found


if __name__ == "__main__":
    print(*requirements(Path("pyproject.toml").read_text()), sep="\n", file=sys.stdout)
