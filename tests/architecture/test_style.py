"""The rules of CONTRIBUTING that a program can check."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("deploy", "functions", "services", "shared")
PRODUCT = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
DOMAIN = ("shared.coach", "shared.prompt", "shared.synthetic")
"""One engine, one renderer and one population for teacher, training and serving, wherever they are used yet."""
TRAINER = sorted((ROOT / "trainer-job" / "trainer_job").rglob("*.py"))
MAINS = sorted((ROOT / "functions").glob("*/main.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", MAINS, ids=relative)
def test_a_phase_is_short_and_straight(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 60
    assert not [node for node in nodes(path) if isinstance(node, ast.If | ast.Try | ast.For | ast.While)]
    assert "google" not in path.read_text()


@pytest.mark.parametrize("path", MAINS, ids=relative)
def test_a_phase_says_what_comes_in_what_it_writes_and_what_goes_out(path: Path) -> None:
    lines = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()
    assert [word for word in ("In", "Writes", "Out") if any(line.startswith(word) for line in lines)] == [
        "In",
        "Writes",
        "Out",
    ]


def test_a_module_is_of_a_size_to_be_read() -> None:
    assert {
        relative(path): size for path in (*PRODUCT, *TRAINER) if (size := len(path.read_text().splitlines())) > 320
    } == {}


def test_a_module_says_what_it_is_for() -> None:
    texts = {relative(path): path.read_text() for path in (*PRODUCT, *TRAINER)}
    first_lines = {
        name: (ast.get_docstring(ast.parse(text)) or "-").splitlines()[0] for name, text in texts.items() if text
    }
    assert [name for name, line in first_lines.items() if ": " not in line] == []


def test_only_settings_read_the_environment() -> None:
    reads = {
        relative(path)
        for path in (*PRODUCT, *TRAINER)
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert reads == {"shared/settings.py"}


def test_nothing_is_called_helpers() -> None:
    vague = {"utils", "helpers", "common", "misc", "base", "manager", "util", "helper"}
    assert not [relative(path) for path in PRODUCT if path.stem in vague]


def test_everything_in_shared_has_two_users_or_is_used_by_shared() -> None:
    lonely = []
    for path in (ROOT / "shared").rglob("*.py"):
        name = relative(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        users = {user_of(other) for other in (*PRODUCT, *TRAINER) if other != path and imports(other, name)}
        if is_program(path):
            continue
        if path.stem != "__init__" and not name.startswith(DOMAIN) and "shared" not in users and len(users) < 2:
            lonely.append(name)
    assert lonely == []


def is_program(path: Path) -> bool:
    return 'if __name__ == "__main__":' in path.read_text()


def user_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if parts[0] not in ("functions", "services") else "/".join(parts[:2])


def imports(path: Path, module: str) -> bool:
    parent, _, leaf = module.rpartition(".")
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and (
            node.module == module or (node.module == parent and leaf in {alias.name for alias in node.names})
        ):
            return True
        if isinstance(node, ast.Import) and module in {alias.name for alias in node.names}:
            return True
    return False
