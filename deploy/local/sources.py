"""Sources: which modules of this project a program imports, however far down, read from the files and never imported.

A table or a template belongs to the modules of the nearest folder above it that has any. Other files, such as an
editor's while it saves, belong to none.
"""

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FOLDERS: Final = {"deploy": "", "functions": "", "services": "", "shared": "", "vllm-vm/vllm_vm": "vllm-vm"}
"""Each package, and below which folder of the checkout it is imported from."""

READ: Final = {".csv", ".html", ".j2", ".json", ".jsonl", ".lark", ".sql", ".txt", ".yaml"}
"""What modules read of files beside them."""


class Sources:
    """The import graph of a checkout; read once, and a file again when it is told to have changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._imports: dict[str, set[str]] = {}
        for folder in self.folders():
            for path in folder.rglob("*.py"):
                self._read(path)

    def folders(self) -> list[Path]:
        """Return the folders that hold sources."""
        return [path for name in FOLDERS if (path := self._root / name).is_dir()]

    def changed(self, paths: Iterable[Path]) -> set[str]:
        """Return the modules that changed files are, or belong to, after having read those files anew."""
        modules: set[str] = set()
        for path in paths:
            if path.suffix == ".py":
                self._read(path)
                modules.add(self._module(path))
            elif path.suffix in READ:
                modules |= self._around(path.parent)
        return modules

    def closure(self, entries: Iterable[str]) -> set[str]:
        """Return the modules that are imported where some are, those themselves among them."""
        found: set[str] = set()
        waiting = list(entries)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self._imports:
                found.add(name)
                waiting.extend(self._imports[name])
                waiting.append(name.rpartition(".")[0])  # a package is run before what is in it
        return found

    def _read(self, path: Path) -> None:
        name = self._module(path)
        try:
            tree = ast.parse(path.read_bytes())
        except FileNotFoundError:
            self._imports.pop(name, None)
        except (SyntaxError, ValueError):
            # Half a sentence, just saved: it imports what it did, and whoever is started with it will say the rest.
            self._imports.setdefault(name, set())
        else:
            self._imports[name] = {one for node in ast.walk(tree) for one in _imported(node)}

    def _module(self, path: Path) -> str:
        name = path.relative_to(self._root).as_posix()
        place = next(below for folder, below in FOLDERS.items() if name.startswith(f"{folder}/"))
        parts = list(path.relative_to(self._root / place).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts)

    def _around(self, folder: Path) -> set[str]:
        while not any(folder.glob("*.py")) and folder.parent.is_relative_to(self._root):
            folder = folder.parent
        return {self._module(path) for path in folder.glob("*.py")}


def _imported(node: ast.AST) -> list[str]:
    """Return what an import names; of `from a import b`, b may be a module too."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []
