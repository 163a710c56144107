"""Services on a real Postgres: `server` is one a session, `database` a migrated database of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Server
from tests.postgres import server as run_server
from tests.services.rig import Person, Rig
from tests.services.rig import rig as run_rig


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("postgres")
    with run_server(folder) as running:
        yield running


@pytest.fixture
def database_name(server: Server) -> Iterator[str]:
    with server.copy() as name:
        yield name


@pytest.fixture
def rig(server: Server, database_name: str, tmp_path: Path) -> Iterator[Rig]:
    with run_rig(server, database_name, tmp_path / "keys") as running:
        yield running


@pytest.fixture(scope="module")
def module_rig(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    keys = tmp_path_factory.mktemp("keys")
    with server.copy() as name, run_rig(server, name, keys) as running:
        yield running


@pytest.fixture
def ann(rig: Rig) -> Person:
    return rig.person("Ann")


@pytest.fixture
def bob(rig: Rig) -> Person:
    return rig.person("Bob")
