"""What the contract suites run on: the embedded stack's places, and those of Google's services on this machine."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.emulators import emulator
from tests.places import Fresh, in_directory, on_google
from tests.storage import storage_server


@pytest.fixture(scope="session")
def storage_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with storage_server(tmp_path_factory.mktemp("storage")) as url:
        yield url


@pytest.fixture(scope="session")
def firestore_host() -> Iterator[str]:
    with emulator("firestore") as host:
        yield host


@pytest.fixture(scope="session")
def pubsub_host() -> Iterator[str]:
    with emulator("pubsub") as host:
        yield host


@pytest.fixture
def embedded(tmp_path: Path) -> Fresh:
    numbers = count()
    return lambda: in_directory(tmp_path / str(next(numbers)))


@pytest.fixture
def on_storage(storage_host: str) -> Fresh:
    return lambda: on_google({"STORAGE_EMULATOR_HOST": storage_host})


@pytest.fixture
def on_firestore(firestore_host: str) -> Fresh:
    return lambda: on_google({"FIRESTORE_EMULATOR_HOST": firestore_host})


@pytest.fixture
def on_pubsub(pubsub_host: str) -> Fresh:
    return lambda: on_google({"PUBSUB_EMULATOR_HOST": pubsub_host})
