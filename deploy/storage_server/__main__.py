"""Command: start a storage server, one process with a thread per call."""

import argparse
import re
from pathlib import Path

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

import deploy.storage_server
from deploy.storage_server.app import create_app
from deploy.storage_server.faults import Failing, WsgiApp
from deploy.storage_server.server import open_server
from shared.log import log_to

HOST_PORT = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}")
KEEP_ALIVE_S = 75
STOP_S = 5


def main() -> None:
    """Serve until told to stop; exits with 2 where the arguments are wrong."""
    arguments = _arguments()
    log_to(None, "INFO")
    _Gunicorn(arguments).run()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.storage_server",
        description=deploy.storage_server.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=_directory, required=True, help="directory of all state; made if it is new")
    parser.add_argument("--port", type=_port, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--pubsub", type=_host_port, metavar="HOST:PORT", help="Pub/Sub emulator to publish events to")
    parser.add_argument(
        "--project", default="fitsense-local", help="of buckets made without one (default: %(default)s)"
    )
    parser.add_argument("--fail-share", type=_share, default=0.0, help="share of object calls answered by 503, 0 to 1")
    parser.add_argument("--seed", type=int, default=0, help="decides which calls fail")
    parser.add_argument("--threads", type=_threads, default=32, help="calls answered at once (default: %(default)s)")
    return parser.parse_args()


def _directory(text: str) -> Path:
    path = Path(text).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / ".writable").touch()
        (path / ".writable").unlink()
    except OSError as exc:
        raise argparse.ArgumentTypeError(f"cannot write to {text!r}: {exc.strerror}") from exc
    return path


def _port(text: str) -> int:
    return int(_between(text, 1, 65535))


def _threads(text: str) -> int:
    return int(_between(text, 1, 1000))


def _share(text: str) -> float:
    return _between(text, 0, 1)


def _between(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"must be a number from {least} to {most}, not {text!r}")
    return number


def _host_port(text: str) -> str:
    if not HOST_PORT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be HOST:PORT, not {text!r}")
    return text


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """Gunicorn's own command line without the command line."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        super().__init__()

    def load_config(self) -> None:
        arguments = self._arguments
        options = {
            "bind": f"{arguments.host}:{arguments.port}",
            "worker_class": "gthread",
            "threads": arguments.threads,
            "keepalive": KEEP_ALIVE_S,
            "graceful_timeout": STOP_S,
            "loglevel": "warning",
            "control_socket_disable": True,
            "limit_request_line": 0,  # two names of 1024 bytes, percent-encoded, are longer than the default
            "timeout": 0,  # a laptop that sleeps is no reason to kill the worker
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> WsgiApp:
        """Build everything in the worker: neither threads nor database connections live through a fork."""
        arguments = self._arguments
        base_url = f"http://{arguments.host}:{arguments.port}"
        server = open_server(arguments.root, arguments.project, arguments.pubsub, base_url)
        server.outbox.start()
        app = create_app(server)
        return Failing(app, arguments.fail_share, arguments.seed) if arguments.fail_share else app


if __name__ == "__main__":
    main()
