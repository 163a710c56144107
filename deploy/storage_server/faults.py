"""Faults: a share of all calls about objects is answered by 503, as on a bad day in the cloud.

Half of them are turned away before anything is done, and half lose only the answer: what was asked
for is done, and the caller cannot know. The seed decides which, in order of arrival.
"""

import json
import random
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

CALLS = re.compile(r"/(?:upload/|resumable/upload/|download/)?storage/v1/b/[^/]+/o(?:[/?]|$)")
WHY = {"code": 503, "message": "told to fail", "errors": [{"message": "told to fail", "reason": "backendError"}]}
BODY = json.dumps({"error": WHY}).encode()


class WsgiApp(Protocol):
    """A WSGI application, or what stands before one."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any], /) -> Iterable[bytes]:
        """Answer a request."""


class Failing:
    """An application that fails a share of the calls."""

    def __init__(self, app: WsgiApp, share: float, seed: int) -> None:
        self._app = app
        self._share = share
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any], /) -> Iterable[bytes]:
        """Answer, or fail."""
        if not CALLS.match(environ["RAW_URI"]):
            return self._app(environ, start_response)
        with self._lock:
            fails, late = self._random.random() < self._share, self._random.random() < 0.5
        if not fails:
            return self._app(environ, start_response)
        if late:
            _close(self._app(environ, lambda *_: None))
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
        start_response("503 Service Unavailable", headers)
        return [BODY]


def _close(answer: Iterable[bytes]) -> None:
    close = getattr(answer, "close", None)
    if close:
        close()
