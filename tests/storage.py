"""Storage: the local Cloud Storage server as a process of its own, for tests and benches."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from deploy.local.ports import Ports

START_S = 20.0


class StorageServer:
    """A server that runs while the context is open, on a port that it keeps when it is stopped and started again."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self._ports = Ports()
        self.port = self._ports.reserve()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "deploy.storage_server", "--root", str(root), "--port", str(self.port)]
        self._command += arguments
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "StorageServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._ports.close()

    @property
    def pid(self) -> int:
        """Of the process that has the one which answers as its child."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = subprocess.Popen(self._command, start_new_session=True)
        deadline = time.monotonic() + START_S
        while not answers(self.url):
            assert self._process.poll() is None, f"the storage server ended with {self._process.returncode}"
            assert time.monotonic() < deadline, "the storage server does not answer"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server at once; SIGKILL ends it in the middle of whatever it does, SIGTERM lets clients finish."""
        if self._process is not None:
            # Told twice, by us and by its parent, the process that answers would not end.
            (os.killpg if how == signal.SIGKILL else os.kill)(self._process.pid, how)
            self._process.wait(15)
            self._process = None
            _wait_until_closed(self.port)


@contextmanager
def storage_server(
    root: Path, *, pubsub: str | None = None, project: str = "fitsense-local", fail_share: float = 0.0
) -> Iterator[str]:
    """Run a server over a directory; yields its URL."""
    to_pubsub = ("--pubsub", pubsub) if pubsub else ()
    with StorageServer(root, "--project", project, "--fail-share", str(fail_share), *to_pubsub) as server:
        yield server.url


def storage_client(url: str, project: str = "fitsense-local") -> storage.Client:
    """Return Google's client for a server."""
    return storage.Client(project, AnonymousCredentials(), client_options={"api_endpoint": url})


def answers(url: str) -> bool:
    """Return whether a server answers at all."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _wait_until_closed(port: int) -> None:
    deadline = time.monotonic() + 5
    while answers(f"http://127.0.0.1:{port}") and time.monotonic() < deadline:
        time.sleep(0.01)
