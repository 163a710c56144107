from collections.abc import Iterator

import pytest

from tests.postgres import Server
from tests.services.plan.planning import Plant, planted


@pytest.fixture
def plant(server: Server) -> Iterator[Plant]:
    with planted(server) as running:
        yield running
