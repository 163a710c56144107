"""Settings classes: every one of this project, read without importing what it needs."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("shared", "services", "functions", "trainer-job/trainer_job", "vllm-vm/vllm_vm")


def settings_fields(root: Path = ROOT) -> dict[str, bool]:
    """Return the environment variable of each field of each settings class, and whether it is a secret."""
    found: dict[str, bool] = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "BaseSettings" for base in node.bases):
                    found |= _fields(node)
    return found


def _fields(node: ast.ClassDef) -> dict[str, bool]:
    prefix = next(
        ast.literal_eval(keyword.value)
        for part in node.body
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call)
        for keyword in part.value.keywords
        if keyword.arg == "env_prefix"
    )
    return {
        f"{prefix}{part.target.id.upper()}": "Secret" in ast.unparse(part.annotation) or _unprinted(part.value)
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }


def _unprinted(default: ast.expr | None) -> bool:
    return isinstance(default, ast.Call) and any(
        keyword.arg == "repr" and ast.unparse(keyword.value) == "False" for keyword in default.keywords
    )
