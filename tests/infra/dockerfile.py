"""Dockerfile: its steps, run in a folder instead of in an engine: the same files, the same commands.

A stage is a folder; absolute paths of a step are below it. What needs root or the machine's package manager (accounts,
apt) is left out and said so; everything else is run as it stands.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEFT_OUT = ("useradd", "apt-get")
FOLDERS = ("/opt/venv", "/app", "/build", "/work", "/var/lib/fitsense")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction."""

    word: str
    text: str


@dataclass(slots=True)
class Stage:
    """A stage that has been run."""

    root: Path
    folder: str = "/"
    variables: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def at(self, path: str) -> Path:
        """Return where a path of the image lies."""
        return self.root / (path if path.startswith("/") else f"{self.folder}/{path}").lstrip("/")

    def placed(self, text: str) -> str:
        """Return a command or value with the image's own folders where they lie here."""
        return re.sub(
            r"(?<![\w.])(" + "|".join(FOLDERS) + r")(?=[/:\s'\"]|$)", lambda found: f"{self.root}{found[1]}", text
        )

    def environment(self) -> dict[str, str]:
        """Return the environment of a command: the image's own, and what a process cannot be without."""
        own = {name: self.placed(value) for name, value in self.variables.items()}
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), "LANG": "C.UTF-8"} | own


def steps(text: str) -> Iterator[Step]:
    """Yield a Dockerfile's instructions."""
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")))
    for line in joined.splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield Step(word.upper(), rest.strip())


def built(file: Path, target: str, into: Path, arguments: Mapping[str, str], environments: dict[str, Path]) -> Stage:
    """Run the steps that lead to a stage, and return it; environments that were made before are used again."""
    stages: dict[str, Stage] = {}
    stage = Stage(into)
    needed = _needed(file.read_text(), target)
    name = ""
    for step in steps(file.read_text()):
        if step.word == "FROM":
            base, _, name = step.text.partition(" AS ")
            if name in needed:
                stage = stages[name] = _begun(stages.get(base), into / name)
        elif name in needed:
            _run(step, stage, stages, arguments, environments)
    return stages[target]


def _needed(text: str, target: str) -> set[str]:
    """Return the stages that a stage rests on."""
    rests: dict[str, set[str]] = {}
    name = ""
    for step in steps(text):
        if step.word == "FROM":
            base, _, name = step.text.partition(" AS ")
            rests[name] = {base}
        elif found := re.match(r"--from=(\S+)", step.text):
            rests[name].add(found[1])
    needed, waiting = set(), [target]
    while waiting:
        needed.add(one := waiting.pop())
        waiting += [other for other in rests[one] if other in rests and other not in needed]
    return needed


def _begun(base: Stage | None, root: Path) -> Stage:
    root.mkdir(parents=True)
    if base is None:
        return Stage(root)
    shutil.copytree(base.root, root, dirs_exist_ok=True, symlinks=True)
    return Stage(root, base.folder, dict(base.variables), base.user)


def _run(
    step: Step, stage: Stage, stages: Mapping[str, Stage], arguments: Mapping[str, str], environments: dict[str, Path]
) -> None:
    text = re.sub(r"\$\{(\w+)\}", lambda found: arguments.get(found[1]) or stage.variables.get(found[1], ""), step.text)
    if step.word == "COPY":
        _copy(text, stage, stages)
    elif step.word == "RUN":
        _execute(text, stage, environments)
    else:
        _set(step.word, text, stage)


def _set(word: str, text: str, stage: Stage) -> None:
    match word:
        case "ENV":
            stage.variables |= dict(one.split("=", 1) for one in shlex.split(text))
        case "WORKDIR":
            stage.folder = text
            stage.at(text).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = text
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(text)
        case "CMD":
            stage.command = json.loads(text)
        case "ARG" | "LABEL" | "EXPOSE" | "HEALTHCHECK":
            pass
        case _:
            raise AssertionError(f"the test does not know {word}")


def _copy(text: str, stage: Stage, stages: Mapping[str, Stage]) -> None:
    words = text.split()
    if words[0].startswith("--from="):
        source = stages[words[0].removeprefix("--from=")]
        shutil.copytree(source.at(words[1]), stage.at(words[2]), symlinks=True, dirs_exist_ok=True)
        return
    *sources, target = words
    for source in sources:
        path, goal = ROOT / source, stage.at(target)
        if path.is_dir():
            shutil.copytree(
                path,
                goal,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__", ".venv", "out", "terraform"),
            )
        else:
            goal = goal / path.name if target.endswith("/") or goal.is_dir() else goal
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, goal)


def _execute(text: str, stage: Stage, environments: dict[str, Path]) -> None:
    if text.startswith(LEFT_OUT):
        stage.left_out.append(text)
        return
    command = stage.placed(text)
    if " install " in text and "pip" in text:
        key = " ".join([text, *(stage.at(name).read_text() for name in re.findall(r"[\w-]+\.txt", text))])
        if key in environments:
            shutil.rmtree(stage.at("/opt/venv"))
            stage.at("/opt/venv").symlink_to(environments[key])
            return
        environments[key] = stage.at("/opt/venv")
    command = re.sub(r"^python ", f"{sys.executable} ", command)
    done = subprocess.run(
        command, shell=True, cwd=stage.at("."), env=stage.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
