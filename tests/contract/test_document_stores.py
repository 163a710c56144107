"""The documents port: every adapter passes this suite."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from deploy.local.ports import Ports
from shared.documents import Data, Document, Documents, SqliteDocuments, need, update
from shared.errors import NotFound, Rejected, Unavailable
from shared.gcp import clients
from shared.gcp.documents import FirestoreDocuments
from tests.emulators import environment, jars, running
from tests.losing import Line
from tests.places import NOWHERE, Fresh, Place, on_google
from tests.racing import in_processes, in_threads

ADAPTERS = {"sqlite": "embedded", "firestore": "on_firestore"}
EXAMPLES = {"sqlite": 20, "firestore": 5}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(params=["sqlite", pytest.param("firestore", marks=pytest.mark.slow)])
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fresh(adapter: str, request: pytest.FixtureRequest) -> Fresh:
    found: Fresh = request.getfixturevalue(ADAPTERS[adapter])
    return found


@pytest.fixture
def place(fresh: Fresh) -> Place:
    return fresh()


@pytest.fixture
def documents(place: Place) -> Documents:
    return place.runtime().documents


def test_create_claims_a_path_once(documents: Documents) -> None:
    assert documents.create("claims/a", {"by": "one"})
    assert not documents.create("claims/a", {"by": "two"})
    assert need(documents, "claims/a").data == {"by": "one"}


def test_of_32_racing_claims_exactly_one_wins(documents: Documents) -> None:
    won = in_threads(32, lambda number: documents.create("claims/a", {"by": number}))
    assert sum(won) == 1
    assert need(documents, "claims/a").data == {"by": won.index(True)}


@pytest.mark.slow
def test_of_8_claims_racing_from_processes_exactly_one_wins(place: Place, documents: Documents) -> None:
    for attempt in range(2):
        won = in_processes(8, claim, place, f"claims/{attempt}")
        assert sum(won) == 1
        assert need(documents, f"claims/{attempt}").data == {"by": won.index(True)}


def claim(number: int, start: Barrier, place: Place, path: str) -> bool:
    documents = place.runtime().documents
    start.wait()
    return documents.create(path, {"by": number})


def test_replace_refuses_what_changed_since_it_was_read(documents: Documents) -> None:
    documents.create("things/a", {"n": 1})
    seen = need(documents, "things/a")
    assert documents.replace(seen, {"n": 2})
    assert not documents.replace(seen, {"n": 3})
    assert need(documents, "things/a").data == {"n": 2}


def test_replace_leaves_nothing_of_what_was_there(documents: Documents) -> None:
    documents.create("things/a", {"n": 1, "deep": {"a": 1, "b": 2}})
    assert documents.replace(need(documents, "things/a"), {"deep": {"b": 3}})
    assert need(documents, "things/a").data == {"deep": {"b": 3}}
    assert documents.replace(need(documents, "things/a"), {})
    assert need(documents, "things/a").data == {}


def test_the_version_changes_even_where_the_data_do_not(documents: Documents) -> None:
    documents.create("things/a", {"n": 1})
    seen = need(documents, "things/a")
    assert documents.replace(seen, {"n": 1})
    assert need(documents, "things/a").version != seen.version
    assert not documents.replace(seen, {"n": 1})


def test_replace_refuses_a_document_that_was_deleted_and_made_again(documents: Documents) -> None:
    documents.create("things/a", {"n": 1})
    seen = need(documents, "things/a")
    documents.delete("things/a")
    assert not documents.replace(seen, {"n": 2})
    documents.create("things/a", {"n": 1})
    assert not documents.replace(seen, {"n": 2})
    assert not documents.discard(seen)
    assert need(documents, "things/a").data == {"n": 1}


def test_discard_deletes_only_what_has_not_changed(documents: Documents) -> None:
    documents.create("things/a", {"n": 1})
    seen = need(documents, "things/a")
    documents.replace(seen, {"n": 2})
    assert not documents.discard(seen)
    assert documents.discard(need(documents, "things/a"))
    assert documents.get("things/a") is None


def test_updates_from_many_threads_lose_nothing(documents: Documents) -> None:
    in_threads(8, lambda _: add_ten(documents))
    assert need(documents, "counts/a").data == {"n": 80}


@pytest.mark.slow
def test_updates_from_many_processes_lose_nothing(place: Place, documents: Documents) -> None:
    in_processes(4, add_ten_when_all_are_there, place)
    assert need(documents, "counts/a").data == {"n": 40}


def add_ten_when_all_are_there(number: int, start: Barrier, place: Place) -> None:
    documents = place.runtime().documents
    start.wait()
    add_ten(documents)


def add_ten(documents: Documents) -> None:
    for _ in range(10):
        update(documents, "counts/a", lambda data: {"n": int(str(data.get("n", 0))) + 1})


def test_list_gives_a_prefix_in_path_order(documents: Documents) -> None:
    for path in ("runs/b", "runs/a", "other/c", "runs/a/x", "runs/a/y/z", "runs/ab", "runs/ä", "runs/\U0001f600"):
        documents.create(path, {"path": path})
    assert [one.path for one in documents.list("runs/")] == [
        "runs/a",
        "runs/a/x",
        "runs/a/y/z",
        "runs/ab",
        "runs/b",
        "runs/ä",
        "runs/\U0001f600",
    ]
    assert [one.path for one in documents.list("runs/a/")] == ["runs/a/x", "runs/a/y/z"]
    assert [one.data["path"] for one in documents.list("runs/a")] == ["runs/a", "runs/a/x", "runs/a/y/z", "runs/ab"]
    assert documents.list("runs/c") == []


@pytest.mark.parametrize("name", [".", "..", "__a__", "_", "a//b", "/", "%2F", "%", "a b", "?x#y", "~", "ü", "a" * 700])
def test_a_name_may_be_anything(name: str, documents: Documents) -> None:
    assert documents.create(f"things/{name}", {"name": name})
    assert need(documents, f"things/{name}").data == {"name": name}
    for length in (0, 1, len(name)):
        assert [one.path for one in documents.list(f"things/{name[:length]}")] == [f"things/{name}"]


@pytest.mark.parametrize("path", ["", "a", "/a", "a/", "a/\n", "a/\udcff"])
def test_a_path_that_names_no_document_is_rejected(path: str, documents: Documents) -> None:
    with pytest.raises(Rejected):
        documents.get(path)
    with pytest.raises(Rejected):
        documents.create(path, {})


def test_a_list_is_of_one_collection(documents: Documents) -> None:
    with pytest.raises(Rejected):
        documents.list("")


def test_delete_tells_whether_there_was_one(documents: Documents) -> None:
    documents.create("things/a", {})
    assert documents.delete("things/a")
    assert not documents.delete("things/a")
    assert documents.get("things/a") is None
    with pytest.raises(NotFound, match="'things/a'"):
        need(documents, "things/a")


def test_any_data_come_back_as_they_were(documents: Documents, adapter: str) -> None:
    @settings(max_examples=5 * EXAMPLES[adapter], deadline=None)
    @given(data=st.dictionaries(st.text(), JSON, max_size=4))
    def comes_back(data: Data) -> None:
        documents.delete("things/a")
        assert documents.create("things/a", data)
        assert need(documents, "things/a").data == data

    comes_back()


@pytest.mark.slow
def test_processes_that_open_a_new_store_at_once_all_get_in(fresh: Fresh) -> None:
    for _ in range(2):
        place = fresh()
        assert in_processes(6, open_and_claim, place) == [True] * 6
        assert len(place.runtime().documents.list("claims/")) == 6


def open_and_claim(number: int, start: Barrier, place: Place) -> bool:
    start.wait()
    return place.runtime().documents.create(f"claims/{number}", {})


class DocumentsAgainstADictionary(RuleBasedStateMachine):
    """Any sequence of operations behaves as a dictionary with versions."""

    paths = st.sampled_from(["x/a", "x/b", "x/c/d"])

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self.documents = documents
        self.model: dict[str, Data] = {}
        self.outdated: list[Document] = []

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
            self.model[path] = {"n": number}
            self.outdated.append(seen)

    @rule(data=st.data())
    def use_what_is_outdated(self, data: st.DataObject) -> None:
        if self.outdated:
            seen = data.draw(st.sampled_from(self.outdated))
            assert not self.documents.replace(seen, {"n": 99})
            assert not self.documents.discard(seen)

    @rule(path=paths)
    def delete(self, path: str) -> None:
        assert self.documents.delete(path) == (self.model.pop(path, None) is not None)

    @rule(path=paths)
    def discard(self, path: str) -> None:
        seen = self.documents.get(path)
        if seen:
            assert self.documents.discard(seen)
            del self.model[path]
            self.outdated.append(seen)

    @invariant()
    def lists_what_it_holds(self) -> None:
        assert {one.path: one.data for one in self.documents.list("x/")} == self.model


def test_any_sequence_of_operations_behaves_as_a_dictionary(fresh: Fresh, adapter: str) -> None:
    run_state_machine_as_test(
        lambda: DocumentsAgainstADictionary(fresh().runtime().documents),  # type: ignore[arg-type]
        settings=settings(
            max_examples=EXAMPLES[adapter],
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_a_place_that_cannot_be_written_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="document database"):
        SqliteDocuments(Path("/proc/fitsense/db.sqlite")).get("things/a")


@pytest.mark.slow
def test_a_service_that_is_away_is_unavailable() -> None:
    with environment(NOWHERE):
        documents = FirestoreDocuments(clients.firestore_client("nobody"), patience_s=0.3)
    seen = Document("things/a", {}, "2026-01-01T00:00:00.000001Z")
    for use in (
        lambda: documents.get("things/a"),
        lambda: documents.create("things/a", {}),
        lambda: documents.replace(seen, {}),
        lambda: documents.delete("things/a"),
        lambda: documents.discard(seen),
        lambda: documents.list("things/"),
    ):
        with pytest.raises(Unavailable, match="things/"):
            use()


@pytest.mark.slow
def test_a_service_that_restarts_is_waited_for() -> None:
    with closing(Ports()) as ports:
        port = ports.reserve()
        with running(jars(), "firestore", port) as host:
            documents = on_google({"FIRESTORE_EMULATOR_HOST": host}).runtime().documents
            assert documents.create("things/a", {})
        with ThreadPoolExecutor() as waiting:
            created = waiting.submit(documents.create, "things/b", {"n": 1})
            with running(jars(), "firestore", port):
                assert created.result()
                assert need(documents, "things/b").data == {"n": 1}


@pytest.mark.slow
def test_what_was_written_is_known_even_when_the_answer_was_lost(firestore_host: str) -> None:
    with closing(Line(firestore_host)) as line, ThreadPoolExecutor() as waiting:
        documents = on_google({"FIRESTORE_EMULATOR_HOST": line.host}).runtime().documents
        documents.create("things/a", {"n": 1})
        seen = need(documents, "things/a")
        losing = waiting.submit(line.lose_answers, 1)
        created = waiting.submit(documents.create, "things/b", {"n": 2})
        replaced = waiting.submit(documents.replace, seen, {"n": 3})
        losing.result()
        assert created.result()
        assert replaced.result()
        assert [one.data["n"] for one in documents.list("things/")] == [3, 2]
