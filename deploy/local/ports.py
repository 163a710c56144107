"""Ports: free TCP ports of 127.0.0.1 that stay ours while what listens there comes, dies and comes again."""

import socket
from contextlib import ExitStack

from shared.errors import Conflict

HOST = "127.0.0.1"


class Ports:
    """Reserved ports, until closed.

    Each is bound here with SO_REUSEADDR and not listened on: the kernel then hands it to nobody who asks for
    any port, neither a server nor an outgoing connection, and lets a server bind it that asks for it by number.
    """

    def __init__(self) -> None:
        self._held = ExitStack()

    def reserve(self, wanted: int = 0) -> int:
        """Return a port that nobody uses, or the wanted one; raises Conflict where somebody uses that."""
        held = self._held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((HOST, wanted))
        except OSError as exc:
            raise Conflict(f"port {wanted} of {HOST} is taken") from exc
        return int(held.getsockname()[1])

    def close(self) -> None:
        """Let the ports go."""
        self._held.close()
