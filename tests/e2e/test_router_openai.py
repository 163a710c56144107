"""The router through OpenAI's own client: what works with their API works here, and fails in the same classes."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.model_server import Does, ModelServer
from tests.running_router import ADMIN_KEY, KEY, VERSION, RunningRouter, running_router

ASK = [{"role": "user", "content": "How do I train?"}]


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def router(tmp_path: Path, model: ModelServer) -> Iterator[RunningRouter]:
    with running_router(tmp_path, model.url, slots=1, queue=0, total_s=60.0, breaker_failures=50) as running:
        yield running


@pytest.fixture
def client(router: RunningRouter) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{router.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def test_models_are_listed_and_told_of(client: openai.OpenAI) -> None:
    assert {"student", "student-canary", VERSION} <= {one.id for one in client.models.list()}
    assert client.models.retrieve("student").owned_by == "fitsense"


def test_a_chat_is_answered_by_a_version(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="student", messages=ASK, max_tokens=3, temperature=0.5, seed=1)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == "word word word "
    assert answer.model == VERSION
    assert answer.usage
    assert answer.usage.completion_tokens == 3
    assert answer._request_id


@pytest.mark.parametrize("usage", [True, False])
def test_a_stream_ends_with_the_usage_where_it_was_asked_for(client: openai.OpenAI, usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if usage else {}
    chunks = list(client.chat.completions.create(model="student", messages=ASK, stream=True, **options))  # type: ignore[call-overload]
    assert "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == "word " * 5
    assert {one.model for one in chunks} == {VERSION}
    assert bool(chunks[-1].usage) == usage
    assert bool(chunks[-1].choices) != usage


def test_formats_reach_the_model_as_they_were_asked_for(client: openai.OpenAI, model: ModelServer) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    client.chat.completions.create(model="student", messages=ASK, response_format=schema)  # type: ignore[call-overload]
    grammar = {"structured_outputs": {"grammar": 'start: "yes" | "no"'}}
    client.chat.completions.create(model="student", messages=ASK, extra_body=grammar)  # type: ignore[arg-type]
    assert model.seen.bodies[0]["response_format"] == schema
    assert model.seen.bodies[1]["structured_outputs"] == grammar["structured_outputs"]


def failing(client: openai.OpenAI, **fields: object) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(**({"model": "student", "messages": ASK} | fields))  # type: ignore[call-overload]
    return raised.value


def test_errors_are_of_the_classes_that_programs_catch(client: openai.OpenAI, router: RunningRouter) -> None:
    assert isinstance(failing(client.with_options(api_key="wrong")), openai.AuthenticationError)
    assert isinstance(failing(client, model="gpt-4"), openai.NotFoundError)
    assert isinstance(failing(client, model="teacher"), openai.PermissionDeniedError)
    too_much = failing(client, max_tokens=4097)
    assert isinstance(too_much, openai.BadRequestError)
    assert (too_much.param, too_much.code, too_much.type) == (
        "max_tokens",
        "max_tokens_exceeded",
        "invalid_request_error",
    )
    assert too_much.request_id
    for wrong in ({"temperature": 9}, {"messages": []}, {"extra_body": {"best_of": 9}}, {"n": 3}):
        assert isinstance(failing(client, **wrong), openai.BadRequestError)


def test_a_server_in_trouble_raises_what_clients_try_again(
    client: openai.OpenAI, router: RunningRouter, model: ModelServer
) -> None:
    model.behave = lambda number, call: Does(status=500)
    assert isinstance(failing(client), openai.InternalServerError)
    model.behave = lambda number, call: Does(die_after=2)
    with pytest.raises(openai.APIError, match="broke off"):
        list(client.chat.completions.create(model="student", messages=ASK, stream=True))  # type: ignore[call-overload]


def test_a_full_router_raises_rate_limit_with_when_to_come_again(
    client: openai.OpenAI, router: RunningRouter, model: ModelServer
) -> None:
    model.behave = lambda number, call: Does(tokens=1000, each_s=0.02)
    with client.chat.completions.create(model="student", messages=ASK, stream=True) as first:  # type: ignore[call-overload]
        next(iter(first))
        refused = failing(client)
    assert isinstance(refused, openai.RateLimitError)
    assert int(refused.response.headers["retry-after"]) >= 1


def test_a_path_of_their_api_that_is_not_here_is_not_found(router: RunningRouter) -> None:
    with (
        openai.OpenAI(base_url=f"{router.url}/v1", api_key=ADMIN_KEY, max_retries=0) as client,
        pytest.raises(openai.NotFoundError),
    ):
        client.embeddings.create(model="student", input="text")
