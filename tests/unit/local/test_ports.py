"""Reserved ports: nobody else gets them, and what is meant for them can listen, die, and listen again."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.local.ports import HOST, Ports


@pytest.fixture
def ports() -> Iterator[Ports]:
    with closing(Ports()) as reserved:
        yield reserved


def test_a_reserved_port_is_taken_for_anybody_who_does_not_ask_to_share_it(ports: Ports) -> None:
    port = ports.reserve()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((HOST, port))


def test_a_server_listens_on_its_port_again_and_again(ports: Ports) -> None:
    port = ports.reserve()
    for _ in range(3):
        with socket.create_server((HOST, port)) as server, socket.create_connection((HOST, port)):
            server.accept()[0].close()


def test_ports_differ_and_are_free_again_at_the_end() -> None:
    with closing(Ports()) as reserved:
        found = {reserved.reserve() for _ in range(50)}
    assert len(found) == 50
    with socket.socket() as other:
        other.bind((HOST, found.pop()))
