"""The router's answers are as its OpenAPI document says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.model_server import Does, ModelServer
from tests.running_router import ADMIN_KEY, CANARY, RunningRouter, running_router


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def router(tmp_path: Path, model: ModelServer) -> Iterator[RunningRouter]:
    with running_router(tmp_path, model.url, canary=50, breaker_failures=99) as running:
        yield running


@pytest.fixture
def document(router: RunningRouter) -> dict[str, Any]:
    status, _, body = router.send("GET", "/v1/openapi/inference-router.json")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


def check(document: dict[str, Any], path: str, method: str, answered: tuple[int, dict[str, str], bytes]) -> None:
    """Hold an answer against what the document has for its status."""
    status, headers, body = answered
    said = document["paths"][path][method]["responses"][str(status)]
    assert {name.lower() for name in said.get("headers", ())} <= headers.keys()
    if headers["content-type"].startswith("text/event-stream"):
        data = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line]
        assert data.pop() == b"[DONE]"
        schema = said["content"]["text/event-stream"]["schema"]["properties"]["data"]["contentSchema"]
    else:
        data, schema = [body], said["content"]["application/json"]["schema"]
    for one in data:
        Draft202012Validator(schema | {"components": document["components"]}).validate(json.loads(one))


def test_every_answer_is_as_the_document_says(
    router: RunningRouter, model: ModelServer, document: dict[str, Any]
) -> None:
    chat = "/v1/chat/completions"
    check(document, chat, "post", router.chat())
    check(document, chat, "post", router.chat(stream=True, stream_options={"include_usage": True}))
    for asked in ({"temperature": 9}, {"model": "teacher"}, {"model": "gpt-4"}, {"text": "word " * 400_000}):
        answered = router.chat(**asked)  # type: ignore[arg-type]
        assert answered[0] in (400, 403, 404, 413)
        check(document, chat, "post", answered)
    check(document, chat, "post", router.chat(key="wrong"))
    model.behave = lambda number, call: Does(status=500)
    check(document, chat, "post", router.chat())
    model.behave = lambda number, call: Does(status=503)
    check(document, chat, "post", router.chat())
    check(document, "/v1/models", "get", router.send("GET", "/v1/models"))
    check(document, "/v1/models/{model}", "get", router.send("GET", "/v1/models/student"))
    check(document, "/v1/models/{model}", "get", router.send("GET", "/v1/models/none"))
    body = json.dumps({"version": CANARY, "percent": 10}).encode()
    check(document, "/v1/shadow", "put", router.send("PUT", "/v1/shadow", body, key=ADMIN_KEY))
    check(document, "/v1/shadow", "put", router.send("PUT", "/v1/shadow", body))
    check(document, "/v1/shadow", "put", router.send("PUT", "/v1/shadow", b"{}", key=ADMIN_KEY))
