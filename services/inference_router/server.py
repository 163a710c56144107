"""Server: the router on a port, until it is told to stop.

granian inside this process's own event loop, and not its command, because the command waits for the last answer
before it tells the application that it stops; here SIGTERM ends new requests at once and answers after `drain_s`.
"""

from collections.abc import Callable

from granian.constants import Interfaces
from granian.server.embed import Server

from services.inference_router.app import App

BACKLOG = 1024
Stop = Callable[[], None]


async def serve(app: App, address: str, port: int, started: Callable[[Stop], None]) -> None:
    """Serve until stopped; `started` is given the function that stops, which may be called in this loop only."""
    server = Server(
        app,
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        backlog=BACKLOG,
        log_enabled=False,
    )

    def stop() -> None:
        app.stop_soon()
        server.stop()  # type: ignore[no-untyped-call]

    started(stop)
    await server.serve()
