"""What vLLM's answers mean, by a small server that gives them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from vllm_vm.engine import Engine

from shared.errors import Rejected, Unavailable

TOO_HIGH = "LoRA rank 64 is greater than max_lora_rank 32."


@contextmanager
def answering(load: int, health: int) -> Iterator[Engine]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(health, "")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(load, TOO_HIGH)

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *told: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    engine = Engine(f"http://127.0.0.1:{server.server_port}", "key")
    try:
        yield engine
    finally:
        engine.close()
        server.shutdown()
        server.server_close()


def test_an_adapter_that_a_healthy_server_cannot_take_is_refused_with_its_words() -> None:
    with answering(load=500, health=200) as engine, pytest.raises(Rejected, match="rank 64 is greater"):
        engine.load("a", Path("a"))


@pytest.mark.parametrize(("load", "health"), [(500, 503), (503, 200), (429, 200)])
def test_a_server_that_is_not_well_is_tried_again(load: int, health: int) -> None:
    with answering(load, health) as engine, pytest.raises(Unavailable):
        engine.load("a", Path("a"))


def test_what_it_loads_it_loads() -> None:
    with answering(load=200, health=200) as engine:
        engine.load("a", Path("a"))
