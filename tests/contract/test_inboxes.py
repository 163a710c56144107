"""The inbox port: every adapter passes this suite."""

from multiprocessing.synchronize import Barrier

import google.cloud.storage as gcs
import pytest

from shared.errors import NotFound, Rejected, Unavailable
from shared.events import ConfigDropped
from shared.gcp import clients
from shared.gcp.inbox import BucketInbox
from shared.inbox import MAX_CONFIG_BYTES, Inbox
from tests.emulators import environment
from tests.losing import losing_answers
from tests.places import NOWHERE, Fresh, Place, on_google
from tests.racing import in_processes, in_threads

ADAPTERS = {"directory": "embedded", "bucket": "on_storage"}


@pytest.fixture(params=["directory", pytest.param("bucket", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest) -> Place:
    fresh: Fresh = request.getfixturevalue(ADAPTERS[request.param])
    return fresh()


@pytest.fixture
def inbox(place: Place) -> Inbox:
    return place.runtime().inbox


def test_what_is_dropped_can_be_read(inbox: Inbox) -> None:
    dropped = inbox.drop("runs/a.yaml", b"users: 3")
    assert dropped.name == "runs/a.yaml"
    assert inbox.read(dropped) == b"users: 3"


def test_a_name_dropped_again_is_another_run_and_both_stay_readable(inbox: Inbox) -> None:
    first, second = inbox.drop("runs/a.yaml", b"first"), inbox.drop("runs/a.yaml", b"second")
    assert first.run_id != second.run_id
    assert int(first.generation) < int(second.generation)
    assert [inbox.read(first), inbox.read(second)] == [b"first", b"second"]


def test_a_run_is_found_by_its_id(inbox: Inbox) -> None:
    drops = [inbox.drop(name, b"x") for name in ("runs/a.yaml", "runs/a.yaml", "runs/b/c.yaml")]
    assert [inbox.find(dropped.run_id) for dropped in drops] == drops
    with pytest.raises(NotFound, match="20260101T000000Z-00000000"):
        inbox.find("20260101T000000Z-00000000")


def test_what_was_never_dropped_is_not_found(inbox: Inbox) -> None:
    dropped = inbox.drop("runs/a.yaml", b"x")
    for changes in ({"name": "runs/b.yaml"}, {"generation": "1"}, {"generation": "later"}):
        with pytest.raises(NotFound):
            inbox.read(dropped.model_copy(update=changes))


def test_a_config_may_be_so_large_and_no_larger(inbox: Inbox) -> None:
    assert inbox.read(inbox.drop("runs/a.yaml", b"x" * MAX_CONFIG_BYTES)) == b"x" * MAX_CONFIG_BYTES
    with pytest.raises(Rejected, match="262,145 bytes"):
        inbox.read(inbox.drop("runs/a.yaml", b"x" * (MAX_CONFIG_BYTES + 1)))


def test_an_error_may_be_written_twice_and_is_no_drop(inbox: Inbox) -> None:
    dropped = inbox.drop("runs/a.yaml", b"x")
    for _ in range(2):
        inbox.write_error(dropped, b"{}")
    assert inbox.read(dropped) == b"x"
    assert inbox.find(dropped.run_id) == dropped


def test_drops_racing_for_a_name_are_a_run_each(inbox: Inbox) -> None:
    drops = in_threads(8, lambda number: inbox.drop("runs/a.yaml", str(number).encode()))
    assert len({dropped.run_id for dropped in drops}) == 8
    assert [inbox.read(dropped) for dropped in drops] == [str(number).encode() for number in range(8)]


@pytest.mark.slow
def test_drops_racing_from_processes_are_a_run_each(place: Place, inbox: Inbox) -> None:
    drops = in_processes(4, drop, place)
    assert len({dropped.run_id for dropped in drops}) == 4
    assert [inbox.read(dropped) for dropped in drops] == [str(number).encode() for number in range(4)]


def drop(number: int, start: Barrier, place: Place) -> ConfigDropped:
    inbox = place.runtime().inbox
    start.wait()
    return inbox.drop("runs/a.yaml", str(number).encode())


def bucket_of(place: Place) -> gcs.Bucket:
    with environment(place.variables):
        return clients.storage_client(place.settings.project).bucket(place.settings.config_bucket)


@pytest.mark.slow
def test_an_error_lies_beside_the_config_and_an_older_ones_does_not_replace_it(on_storage: Fresh) -> None:
    place = on_storage()
    inbox = place.runtime().inbox
    first, second = inbox.drop("runs/a.yaml", b"1"), inbox.drop("runs/a.yaml", b"2")
    inbox.write_error(first, b"1")
    assert error_beside(place) == b"1"
    inbox.write_error(second, b"2")
    inbox.write_error(first, b"1")
    assert error_beside(place) == b"2"


def error_beside(place: Place) -> bytes:
    return bytes(bucket_of(place).blob("runs/a.yaml.error.json").download_as_bytes())


@pytest.mark.slow
def test_of_errors_racing_to_lie_beside_a_config_the_newest_ones_stays(on_storage: Fresh) -> None:
    place = on_storage()
    inbox = place.runtime().inbox
    drops = [inbox.drop("runs/a.yaml", b"x") for _ in range(8)]
    in_threads(8, lambda number: inbox.write_error(drops[number], str(number).encode()))
    assert error_beside(place) == b"7"


@pytest.mark.slow
def test_a_drop_from_outside_is_the_run_that_the_inbox_finds(on_storage: Fresh) -> None:
    place = on_storage()
    blob = bucket_of(place).blob("runs/mine.yaml")
    blob.upload_from_string(b"users: 3")
    dropped = ConfigDropped(
        bucket=blob.bucket.name, name=blob.name, generation=str(blob.generation), finalized_at=blob.time_created
    )
    assert place.runtime().inbox.find(dropped.run_id) == dropped
    assert place.runtime().inbox.read(dropped) == b"users: 3"


@pytest.mark.slow
def test_a_drop_whose_answer_is_lost_is_still_one_run(storage_host: str) -> None:
    lost: list[str] = []

    def loses(method: str, path: str, status: int) -> bool:
        first = path.startswith("/upload") and status == 200 and not lost
        lost.extend([path] if first else [])
        return first

    there = on_google({"STORAGE_EMULATOR_HOST": storage_host})
    with losing_answers(storage_host, loses) as url:
        dropped = (
            Place(there.settings, there.variables | {"STORAGE_EMULATOR_HOST": url}).runtime().inbox.drop("a", b"x")
        )
    assert lost
    (only,) = bucket_of(there).client.list_blobs(there.settings.config_bucket, versions=True)
    assert str(only.generation) == dropped.generation


@pytest.mark.slow
def test_a_message_that_names_another_bucket_reads_nothing(on_storage: Fresh) -> None:
    inbox, other = on_storage().runtime().inbox, on_storage().runtime().inbox
    with pytest.raises(NotFound, match="holds no such thing"):
        inbox.read(other.drop("runs/a.yaml", b"x"))


@pytest.mark.slow
def test_a_service_that_is_away_is_unavailable() -> None:
    with environment(NOWHERE):
        inbox = BucketInbox(clients.storage_client("nobody"), "configs", patience_s=0.3)
    with pytest.raises(Unavailable, match="bucket configs"):
        inbox.drop("runs/a.yaml", b"x")
