"""Services on a real Postgres: `server` is one a session, `database` a migrated database of the test's own."""

from collections.abc import Iterator

import pytest

from tests.postgres import Server
from tests.postgres import server as run_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("postgres")
    with run_server(folder) as running:
        yield running


@pytest.fixture
def database_name(server: Server) -> Iterator[str]:
    with server.copy() as name:
        yield name
