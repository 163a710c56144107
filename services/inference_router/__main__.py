"""Main: python -m services.inference_router --port 8080. Ends on SIGTERM, once those under way are answered."""

import argparse
import asyncio
import gc
import signal
from collections.abc import Callable

import uvloop

from services.inference_router.app import App
from services.inference_router.server import serve
from services.inference_router.settings import RouterSettings
from services.inference_router.wiring import deps
from shared.runtime import runtime


async def main(host: str, port: int) -> None:
    """Serve until told to stop."""
    loop = asyncio.get_running_loop()

    def stop_on_signals(stop: Callable[[], None]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)

    app = App(deps(RouterSettings(), runtime()))
    gc.freeze()  # what lives as long as the process need not be looked through
    await serve(app, host, port, stop_on_signals)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(arguments.host, arguments.port))
