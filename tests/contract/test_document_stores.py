"""The documents port: every adapter passes this suite."""

import multiprocessing
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.documents import Data, Document, Documents, SqliteDocuments, need, update
from shared.errors import NotFound, Unavailable

ADAPTERS: dict[str, Callable[[Path], Documents]] = {"sqlite": lambda folder: SqliteDocuments(folder / "db.sqlite")}


@pytest.fixture(params=ADAPTERS)
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> Documents:
    return ADAPTERS[request.param](tmp_path)


def run_threads(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_create_claims_a_path_once(documents: Documents) -> None:
    assert documents.create("claims/a", {"by": "one"})
    assert not documents.create("claims/a", {"by": "two"})
    assert need(documents, "claims/a").data == {"by": "one"}


def test_of_32_racing_claims_exactly_one_wins(documents: Documents) -> None:
    won: list[int] = []
    run_threads(32, lambda number: won.append(number) if documents.create("claim", {"by": number}) else None)
    assert [need(documents, "claim").data["by"]] == won


def test_replace_refuses_what_changed_since_it_was_read(documents: Documents) -> None:
    documents.create("a", {"n": 1})
    seen = need(documents, "a")
    assert documents.replace(seen, {"n": 2})
    assert not documents.replace(seen, {"n": 3})
    assert need(documents, "a").data == {"n": 2}


def test_replace_refuses_a_document_that_was_deleted_and_made_again(documents: Documents) -> None:
    documents.create("a", {"n": 1})
    seen = need(documents, "a")
    documents.delete("a")
    documents.create("a", {"n": 1})
    assert not documents.replace(seen, {"n": 2})


def test_updates_from_many_threads_lose_nothing(documents: Documents) -> None:
    def add_ten(_: int) -> None:
        for _ in range(10):
            update(documents, "counter", lambda data: {"n": int(str(data.get("n", 0))) + 1})

    run_threads(8, add_ten)
    assert need(documents, "counter").data == {"n": 80}


def test_list_gives_a_prefix_in_path_order(documents: Documents) -> None:
    for path in ("runs/b", "runs/a", "other/c", "runs/a/x"):
        documents.create(path, {"path": path})
    assert [one.path for one in documents.list("runs/")] == ["runs/a", "runs/a/x", "runs/b"]


def test_delete_tells_whether_there_was_one(documents: Documents) -> None:
    documents.create("a", {})
    assert documents.delete("a")
    assert not documents.delete("a")
    assert documents.get("a") is None
    with pytest.raises(NotFound, match="'a'"):
        need(documents, "a")


def test_a_place_that_cannot_be_written_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="document database"):
        SqliteDocuments(Path("/proc/fitsense/db.sqlite")).get("a")


@pytest.mark.parametrize("name", ADAPTERS)
def test_processes_that_open_a_new_store_at_once_all_get_in(name: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for attempt in range(10):
        start, folder = context.Barrier(6), tmp_path / str(attempt)

        def claim(number: int, start: Barrier = start, folder: Path = folder) -> None:
            start.wait()
            ADAPTERS[name](folder).create(f"claims/{number}", {})

        processes = [context.Process(target=claim, args=(number,)) for number in range(6)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * 6
        assert len(ADAPTERS[name](folder).list("claims/")) == 6


class DocumentsAgainstADictionary(RuleBasedStateMachine):
    """Any sequence of operations behaves as a dictionary with versions."""

    paths = st.sampled_from(["a", "b", "c/d"])

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.documents: Documents = SqliteDocuments(Path(self.folder.name) / "db.sqlite")
        self.model: dict[str, Data] = {}
        self.read_before: list[tuple[Document, bool]] = []

    @rule(path=paths, number=st.integers(0, 5))
    def create(self, path: str, number: int) -> None:
        assert self.documents.create(path, {"n": number}) == (path not in self.model)
        self.model.setdefault(path, {"n": number})

    @rule(path=paths, number=st.integers(0, 5))
    def read_then_replace(self, path: str, number: int) -> None:
        seen = self.documents.get(path)
        assert (seen.data if seen else None) == self.model.get(path)
        if seen:
            assert self.documents.replace(seen, {"n": number})
            assert not self.documents.replace(seen, {"n": 99})
            self.model[path] = {"n": number}

    @rule(path=paths)
    def delete(self, path: str) -> None:
        assert self.documents.delete(path) == (self.model.pop(path, None) is not None)

    @invariant()
    def lists_what_it_holds(self) -> None:
        assert {one.path: one.data for one in self.documents.list("")} == self.model

    def teardown(self) -> None:
        self.folder.cleanup()


TestDocumentsAgainstADictionary = DocumentsAgainstADictionary.TestCase
TestDocumentsAgainstADictionary.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
