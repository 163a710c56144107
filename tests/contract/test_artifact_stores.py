"""The artifact store port: every adapter passes this suite."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from shared.artifacts import ArtifactStore, DirectoryStore, write_lines
from shared.errors import NotFound, Rejected, Unavailable

ADAPTERS: dict[str, Callable[[Path], ArtifactStore]] = {"directory": DirectoryStore}


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    return ADAPTERS[request.param](tmp_path)


def test_an_artifact_is_created_once_and_keeps_its_first_content(store: ArtifactStore) -> None:
    assert store.create("a/b.json", b"first")
    assert not store.create("a/b.json", b"second")
    assert store.read("a/b.json") == b"first"


def test_a_writer_that_fails_leaves_nothing(store: ArtifactStore) -> None:
    def write_half() -> None:
        with store.writer("a/half") as file:
            file.write(b"half")
            raise RuntimeError("died")

    with pytest.raises(RuntimeError, match="died"):
        write_half()
    assert not store.exists("a/half")
    assert store.names("") == []


def test_nobody_sees_an_artifact_before_it_is_whole(store: ArtifactStore) -> None:
    with store.writer("a/slow") as file:
        file.write(b"x" * 1_000_000)
        assert not store.exists("a/slow")
        assert store.names("a/") == []
    assert store.read("a/slow") == b"x" * 1_000_000


def test_of_two_open_writers_the_first_to_finish_wins(store: ArtifactStore) -> None:
    with store.writer("a/b") as late:
        late.write(b"late")
        with store.writer("a/b") as early:
            early.write(b"early")
    assert store.read("a/b") == b"early"


def test_of_32_racing_writers_exactly_one_creates(store: ArtifactStore) -> None:
    start, won = threading.Barrier(32), []

    def race(number: int) -> None:
        start.wait()
        if store.create("race", str(number).encode()):
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read("race") == str(won[0]).encode()
    assert len(won) == 1


def test_lines_come_back_as_they_were_written(store: ArtifactStore) -> None:
    lines = [b'{"a":1}', b"", "ünï".encode()]
    assert write_lines(store, "a/lines.jsonl", lines) == 3
    assert list(store.lines("a/lines.jsonl")) == lines


def test_names_are_sorted_and_start_with_the_prefix(store: ArtifactStore) -> None:
    for name in ("runs/b/2", "runs/b/10", "runs/a/1", "reports/x"):
        store.create(name, b"")
    assert store.names("runs/") == ["runs/a/1", "runs/b/10", "runs/b/2"]
    assert store.names("runs/b/1") == ["runs/b/10"]
    assert store.names("nothing/") == []


def test_what_is_not_there_is_not_found(store: ArtifactStore) -> None:
    assert not store.exists("no")
    with pytest.raises(NotFound, match="'no'"):
        store.read("no")
    with pytest.raises(NotFound, match="'no'"):
        list(store.lines("no"))


def test_a_name_cannot_leave_the_store(store: ArtifactStore) -> None:
    with pytest.raises(Rejected, match="outside"):
        store.create("../stolen", b"")


def test_a_place_that_cannot_be_written_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="artifact 'a'"):
        DirectoryStore(Path("/proc/fitsense")).create("a", b"")


def test_a_full_disk_is_unavailable_and_leaves_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)

    def write_to_a_full_device() -> None:
        with store.writer("a") as file, open("/dev/full", "wb", buffering=0) as full:
            file._write = full.write  # type: ignore[attr-defined]
            file.write(b"x")

    with pytest.raises(Unavailable, match="ENOSPC"):
        write_to_a_full_device()
    assert store.names("") == []


class StoreAgainstADictionary(RuleBasedStateMachine):
    """Any sequence of creates and reads behaves as a dictionary whose entries never change."""

    names = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store: ArtifactStore = DirectoryStore(Path(self.folder.name))
        self.model: dict[str, bytes] = {}

    @rule(target=names, name=st.text("abc/", min_size=1, max_size=4))
    def pick(self, name: str) -> str:
        return "x/" + "/".join(part or "d" for part in name.split("/")) + ".json"

    @rule(name=names, data=st.binary(max_size=20))
    def create(self, name: str, data: bytes) -> None:
        assert self.store.create(name, data) == (name not in self.model)
        self.model.setdefault(name, data)

    @rule(name=names)
    def read(self, name: str) -> None:
        assert self.store.exists(name) == (name in self.model)
        if name in self.model:
            assert self.store.read(name) == self.model[name]

    @invariant()
    def lists_what_it_holds(self) -> None:
        assert self.store.names("x/") == sorted(self.model)

    def teardown(self) -> None:
        self.folder.cleanup()


TestStoreAgainstADictionary = StoreAgainstADictionary.TestCase
TestStoreAgainstADictionary.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
