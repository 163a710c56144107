"""The artifact store port: every adapter passes this suite."""

import gc
import os
import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from shared.artifacts import ArtifactStore, DirectoryStore, write_lines
from shared.errors import NotFound, Rejected, Unavailable
from shared.gcp import clients
from shared.gcp.artifacts import CHUNK_BYTES, GcsStore
from tests.emulators import environment
from tests.losing import losing_answers
from tests.places import Fresh, Place, on_google
from tests.racing import begun, in_processes, in_threads
from tests.storage import StorageServer, storage_server

ADAPTERS = {"directory": "embedded", "gcs": "on_storage"}
EXAMPLES = {"directory": 25, "gcs": 8}
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 12_345)
"""Around what Cloud Storage's adapter sends and fetches at once."""


@pytest.fixture(params=["directory", pytest.param("gcs", marks=pytest.mark.slow)])
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
def store(place: Place) -> ArtifactStore:
    return place.runtime().store


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


def test_a_writer_that_comes_too_late_may_go_on_writing(store: ArtifactStore) -> None:
    assert store.create("a/b", b"first")
    with store.writer("a/b") as late:
        for _ in range(5):
            late.write(b"x" * CHUNK_BYTES)
    assert not late.created
    assert store.read("a/b") == b"first"


@pytest.mark.parametrize("size", SIZES)
def test_an_artifact_of_any_size_is_read_as_it_was_written(size: int, store: ArtifactStore) -> None:
    data = os.urandom(size)
    with store.writer("a/pieces") as file:
        for start in range(0, size, 100_003):
            file.write(data[start : start + 100_003])
    assert file.created
    assert store.create("a/whole", data)
    assert store.read("a/pieces") == store.read("a/whole") == data
    assert b"\n".join(store.lines("a/whole")) == data.removesuffix(b"\n")


@pytest.mark.parametrize("size", [3, 3 * CHUNK_BYTES])
def test_a_failed_writer_leaves_nothing_even_when_it_is_collected(size: int, store: ArtifactStore) -> None:
    def write_half() -> None:
        with store.writer("a/half") as file:
            file.write(b"x" * size)
            raise RuntimeError("died")

    with pytest.raises(RuntimeError, match="died"):
        write_half()
    gc.collect()
    assert not store.exists("a/half")
    assert store.create("a/half", b"whole")


@pytest.mark.slow
def test_a_process_killed_while_it_writes_leaves_nothing(place: Place, store: ArtifactStore, tmp_path: Path) -> None:
    begun_writing = tmp_path / "begun"
    process = begun(write_for_ever, place, begun_writing)
    wait_for(begun_writing.exists)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert store.names("a/") == []
    assert store.create("a/half", b"whole")


def write_for_ever(place: Place, begun_writing: Path) -> None:
    with place.runtime().store.writer("a/half") as file:
        file.write(b"x" * 3 * CHUNK_BYTES)
        begun_writing.touch()
        time.sleep(60)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_of_32_racing_writers_exactly_one_creates(store: ArtifactStore) -> None:
    won = in_threads(32, lambda number: store.create("race", str(number).encode()))
    assert sum(won) == 1
    assert store.read("race") == str(won.index(True)).encode()


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2 * CHUNK_BYTES])
def test_of_8_writers_racing_from_processes_exactly_one_creates(size: int, place: Place, store: ArtifactStore) -> None:
    won = in_processes(8, race, place, size)
    assert sum(won) == 1
    assert store.read("race") == bytes([won.index(True)]) * size


def race(number: int, start: Barrier, place: Place, size: int) -> bool:
    store = place.runtime().store
    start.wait()
    return store.create("race", bytes([number]) * size)


def test_lines_come_back_as_they_were_written(store: ArtifactStore) -> None:
    lines = [b'{"a":1}', b"", "ünï".encode()]
    assert write_lines(store, "a/lines.jsonl", lines) == 3
    assert list(store.lines("a/lines.jsonl")) == lines


def test_lines_end_where_they_end_wherever_a_chunk_does(store: ArtifactStore) -> None:
    for first in (CHUNK_BYTES - 2, CHUNK_BYTES - 1, CHUNK_BYTES):
        lines = [b"x" * first, b"", b"y\r", b"z" * (2 * CHUNK_BYTES + 1), b"last"]
        write_lines(store, f"a/{first}", lines)
        assert list(store.lines(f"a/{first}")) == lines


def test_lines_and_writers_hold_little_of_an_artifact_in_memory(store: ArtifactStore) -> None:
    tracemalloc.start()
    write_lines(store, "a/large", (b"x" * 999 for _ in range(32_000)))
    count = sum(1 for _ in store.lines("a/large"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 32_000
    assert peak < 12 * CHUNK_BYTES


def test_a_deleted_artifact_is_gone_and_may_be_created_again(store: ArtifactStore) -> None:
    store.create("a/old", b"old")
    store.create("a/kept", b"kept")
    assert store.delete("a/old")
    assert not store.delete("a/old")
    assert store.names("") == ["a/kept"]
    assert store.create("a/old", b"new")
    assert store.read("a/old") == b"new"


def test_pieces_are_the_whole_artifact_byte_by_byte(store: ArtifactStore) -> None:
    for size in (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 1):
        data = (b"\n\x00\xff\r" * (size // 4 + 1))[:size]
        store.create(f"a/{size}", data)
        assert b"".join(store.pieces(f"a/{size}")) == data
    with pytest.raises(NotFound):
        list(store.pieces("a/nothing"))


def test_names_are_sorted_and_start_with_the_prefix(store: ArtifactStore) -> None:
    for name in ("runs/b/2", "runs/b/10", "runs/a/1", "reports/x"):
        store.create(name, b"")
    assert store.names("runs/") == ["runs/a/1", "runs/b/10", "runs/b/2"]
    assert store.names("runs/b/1") == ["runs/b/10"]
    assert store.names("nothing/") == []


@pytest.mark.slow
def test_a_listing_is_whole_however_long(store: ArtifactStore) -> None:
    in_threads(8, lambda number: [store.create(f"many/{number}/{each:03}", b"") for each in range(140)])
    assert store.names("many/") == [f"many/{number}/{each:03}" for number in range(8) for each in range(140)]


def test_what_is_not_there_is_not_found(store: ArtifactStore) -> None:
    assert not store.exists("no")
    with pytest.raises(NotFound, match="'no'"):
        store.read("no")
    with pytest.raises(NotFound, match="'no'"):
        list(store.lines("no"))


def test_a_name_cannot_leave_the_store(store: ArtifactStore) -> None:
    for name in ("../stolen", "a/../../stolen", "/stolen", ".."):
        with pytest.raises(Rejected, match="outside"):
            store.create(name, b"")
        with pytest.raises(Rejected, match="outside"):
            store.read(name)


def test_different_spellings_of_a_name_are_one_artifact(store: ArtifactStore) -> None:
    assert store.create("a//b/./c/../d", b"")
    assert not store.create("a/b/d", b"")
    assert store.names("") == ["a/b/d"]


@pytest.mark.parametrize("name", ["a b", "a#b", "a?b", "a%2Fb", "ü", "a+b&c=d", "x" * 200])
def test_a_name_may_hold_what_a_url_may_not(name: str, store: ArtifactStore) -> None:
    assert store.create(f"a/{name}", name.encode())
    assert store.read(f"a/{name}") == name.encode()
    assert store.names("a/") == [f"a/{name}"]


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


# Google's client forgets the connection of a download that was answered with an error; Python warns when it finds it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow
def test_a_store_that_often_fails_still_creates_each_artifact_once(tmp_path: Path) -> None:
    with storage_server(tmp_path, fail_share=0.2) as url:
        place = unreliable_place(url)
        store = place.runtime().store
        data = os.urandom(3 * CHUNK_BYTES)
        for number in range(20):
            assert store.create(f"small/{number}", str(number).encode())
            assert not store.create(f"small/{number}", b"late")
        assert store.create("large", data)
        assert store.read("large") == data
        assert b"\n".join(store.lines("large")) == data.removesuffix(b"\n")
        assert [store.read(f"small/{number}") for number in range(20)] == [str(n).encode() for n in range(20)]
        assert len(store.names("small/")) == 20
    gc.collect()


def unreliable_place(url: str) -> Place:
    """Return a place on a server that fails even when buckets are made."""
    while True:
        try:
            return on_google({"STORAGE_EMULATOR_HOST": url})
        except clients.FAILURES:
            time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("size", [10, 3 * CHUNK_BYTES])
def test_who_created_is_known_even_when_the_answer_was_lost(size: int, storage_host: str) -> None:
    lost: list[str] = []

    def loses(method: str, path: str, status: int) -> bool:
        """Lose the first answer that says that an object has been created."""
        if path.startswith("/upload") and status == 200 and not lost:
            created = method == "PUT" or "multipart" in path
            lost.extend([path] if created else [])
            return created
        return False

    there = on_google({"STORAGE_EMULATOR_HOST": storage_host})
    with losing_answers(storage_host, loses) as url:
        store = Place(there.settings, there.variables | {"STORAGE_EMULATOR_HOST": url}).runtime().store
        assert store.create("a", b"x" * size)
        assert lost
        assert store.read("a") == b"x" * size
        assert not store.create("a", b"y" * size)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    server = StorageServer(tmp_path / "storage")
    server.start()
    yield server
    server.stop()


@pytest.mark.slow
def test_a_server_that_is_killed_and_comes_back_is_waited_for(server: StorageServer) -> None:
    store = on_google({"STORAGE_EMULATOR_HOST": server.url}).runtime().store
    store.create("before", b"1")
    server.stop(signal.SIGKILL)
    with ThreadPoolExecutor() as waiting:
        created = waiting.submit(store.create, "meanwhile", b"2")
        read = waiting.submit(store.read, "before")
        time.sleep(1)
        server.start()
        assert created.result()
        assert read.result() == b"1"


@pytest.mark.slow
def test_a_server_killed_again_and_again_in_the_middle_of_an_upload_gets_it_whole(server: StorageServer) -> None:
    store = on_google({"STORAGE_EMULATOR_HOST": server.url}).runtime().store
    data = os.urandom(12 * CHUNK_BYTES)
    with store.writer("large") as file:
        for start in range(0, len(data), CHUNK_BYTES // 2):
            with ThreadPoolExecutor() as writing:
                written = writing.submit(file.write, data[start : start + CHUNK_BYTES // 2])
                if start % (4 * CHUNK_BYTES) == 0:
                    server.stop(signal.SIGKILL)
                    server.start()
                written.result()
    assert file.created
    assert store.read("large") == data


@pytest.mark.slow
def test_a_failed_writer_that_cannot_even_cancel_leaves_nothing(server: StorageServer) -> None:
    store = on_google({"STORAGE_EMULATOR_HOST": server.url}).runtime().store

    def write_half() -> None:
        with store.writer("a/half") as file:
            file.write(b"x" * 3 * CHUNK_BYTES)
            server.stop(signal.SIGKILL)
            raise RuntimeError("died")

    try:
        write_half()
    except RuntimeError:
        server.start()
    gc.collect()
    assert not store.exists("a/half")
    assert store.names("") == []


@pytest.mark.slow
def test_a_server_that_is_away_is_unavailable() -> None:
    with environment({"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9"}):
        store = GcsStore(clients.storage_client("nobody"), "bucket", patience_s=0.3)
    for use in (
        lambda: store.create("a", b""),
        lambda: store.read("a"),
        lambda: store.names(""),
        lambda: store.exists("a"),
    ):
        with pytest.raises(Unavailable, match="bucket"):
            use()


@pytest.mark.slow
def test_a_missing_bucket_is_unavailable_and_no_missing_artifact(storage_host: str) -> None:
    with environment({"STORAGE_EMULATOR_HOST": storage_host}):
        store = GcsStore(clients.storage_client("nobody"), "no-such-bucket")
    for use in (
        lambda: store.create("a", b""),
        lambda: store.create("a", b"x" * 2 * CHUNK_BYTES),
        lambda: store.read("a"),
        lambda: list(store.lines("a")),
        lambda: store.names(""),
    ):
        with pytest.raises(Unavailable, match="no-such-bucket"):
            use()


class StoreAgainstADictionary(RuleBasedStateMachine):
    """Any sequence of creates and reads behaves as a dictionary whose entries never change."""

    names = Bundle("names")

    def __init__(self, store: ArtifactStore) -> None:
        super().__init__()
        self.store = store
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


def test_any_sequence_of_operations_behaves_as_a_dictionary(fresh: Fresh, adapter: str) -> None:
    run_state_machine_as_test(
        lambda: StoreAgainstADictionary(fresh().runtime().store),  # type: ignore[arg-type]
        settings=settings(
            max_examples=EXAMPLES[adapter],
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
