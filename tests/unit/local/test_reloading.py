"""What a saved file has to do with each process, and that those are started anew which run it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from deploy.local.merged_log import MergedLog
from deploy.local.processes import Program, nothing
from deploy.local.reloading import concerned, reloading
from deploy.local.sources import Sources
from deploy.local.stack import LocalStack

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60
LIVE = """
import pathlib, sys, time
from shared import word
pathlib.Path(sys.argv[1]).open("a").write(word.WORD + chr(10))
time.sleep(600)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in small: two programs that import a module of shared, and one that does not."""
    files = {
        **{f"{package}/__init__.py": "" for package in ("deploy", "functions", "functions/it", "shared")},
        "shared/word.py": "from shared.letters import A\nWORD = A + 'one'\n",
        "shared/letters.py": "A = ''\n",
        "shared/tables/rows.yaml": "a: 1\n",
        "deploy/one.py": LIVE,
        "deploy/other.py": "import time\ntime.sleep(600)\n",
        "functions/it/main.py": LIVE,
    }
    for name, text in files.items():
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "checkout" / name).write_text(text)
    return tmp_path / "checkout"


@contextmanager
def running(checkout: Path, *modules: str) -> Iterator[LocalStack]:
    programs = [
        Program(
            name=module,
            command=(sys.executable, "-P", "-m", module, str(checkout.parent / f"{module}.said")),
            port=None,
            ready=nothing,
            environment={"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
            sources=(module,),
        )
        for module in modules
    ]
    with closing(MergedLog(checkout.parent / "log", None)) as log:
        stack = LocalStack("embedded", checkout.parent / "out", programs, {}, log)
        stack.start()
        try:
            yield stack
        finally:
            stack.stop()


def eventually(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def said(checkout: Path, module: str) -> list[str]:
    file = checkout.parent / f"{module}.said"
    return file.read_text().splitlines() if file.exists() else []


def starts(stack: LocalStack) -> dict[str, int]:
    return {one.name: one.restarts for one in stack.processes}


def test_a_saved_file_is_run_by_what_imports_it_however_far_down(checkout: Path) -> None:
    with running(checkout, "deploy.one", "deploy.other", "functions.it.main") as stack, reloading(stack, checkout):
        eventually(lambda: said(checkout, "deploy.one") and said(checkout, "functions.it.main"))
        (checkout / "shared" / "letters.py").write_text("A = 'twenty-'\n")
        for module in ("deploy.one", "functions.it.main"):
            eventually(lambda module=module: said(checkout, module)[-1] == "twenty-one")  # type: ignore[misc]
        assert starts(stack)["deploy.other"] == 0


def test_half_a_sentence_does_no_harm_and_the_whole_one_is_run_at_once(checkout: Path) -> None:
    word = checkout / "shared" / "word.py"
    with running(checkout, "deploy.one") as stack, reloading(stack, checkout):
        eventually(lambda: said(checkout, "deploy.one"))
        word.write_text("WORD = (\n")
        eventually(lambda: starts(stack)["deploy.one"] >= 1)
        word.write_text("WORD = 'two'\n")
        eventually(lambda: said(checkout, "deploy.one")[-1] == "two")


def test_a_file_that_nobody_runs_starts_nothing(checkout: Path) -> None:
    with running(checkout, "deploy.one", "deploy.other") as stack:
        sources = Sources(checkout)
        assert concerned(stack, sources, {checkout / "functions" / "it" / "main.py"}) == []
        assert concerned(stack, sources, {checkout / "deploy" / "other.py"}) == ["deploy.other"]


def test_a_table_belongs_to_the_modules_around_it(checkout: Path) -> None:
    assert Sources(checkout).changed([checkout / "shared" / "tables" / "rows.yaml"]) == {
        "shared",
        "shared.word",
        "shared.letters",
    }


def test_a_file_that_an_editor_leaves_for_a_moment_belongs_to_nobody(checkout: Path) -> None:
    (checkout / "shared" / ".word.saved").write_text("")
    assert Sources(checkout).changed([checkout / "shared" / ".word.saved"]) == set()


def test_an_import_that_is_new_counts_from_then_on(checkout: Path) -> None:
    sources = Sources(checkout)
    assert "shared.word" not in sources.closure(["deploy.other"])
    (checkout / "deploy" / "other.py").write_text("import shared.word\n")
    assert sources.changed([checkout / "deploy" / "other.py"]) == {"deploy.other"}
    assert {"shared", "shared.word", "shared.letters"} <= sources.closure(["deploy.other"])


def test_a_file_that_is_removed_is_no_module_any_more(checkout: Path) -> None:
    sources = Sources(checkout)
    (checkout / "shared" / "letters.py").unlink()
    assert sources.changed([checkout / "shared" / "letters.py"]) == {"shared.letters"}
    assert "shared.letters" not in sources.closure(["deploy.one"])


def test_in_this_checkout_a_phase_runs_its_own_files_and_no_other_phases() -> None:
    run = Sources(ROOT).closure(["functions.gate.main"])
    assert {"functions.gate.rules", "shared.phase", "shared.gcp.bus"} <= run
    assert not {name for name in run if name.startswith(("functions.teacher", "services", "deploy"))}
