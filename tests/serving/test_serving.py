"""A promoted version answers users through the router, from real vLLM on this machine's processor.

The tests follow each other on one stack, as a version's life does.
"""

import http.client
import json
import time

import openai
import pytest
from vllm_vm.probe import question

from services.inference_router.cards import StoredCards
from shared.coach.wire import decode
from shared.events import ModelLoadFailed
from shared.registry import model_file
from tests.serving.stack import KEY, Serving, kill, restart_vllm
from tests.serving.versions import promote, version

ASK = [{"role": "user", "content": "Please make me a plan."}]
LONG = {"structured_outputs": {"grammar": 'start: "a"{3000}'}}


def plan(client: openai.OpenAI, **fields: object) -> str:
    """Ask for the golden plan; return the text."""
    asked = question("student")
    answer = client.chat.completions.create(
        model="student",
        messages=asked["messages"],  # type: ignore[arg-type]
        extra_body={"structured_outputs": asked["structured_outputs"]},
        temperature=0,
        **fields,  # type: ignore[arg-type]
    )
    return str(answer.choices[0].message.content)


def test_nobody_is_answered_before_anything_is_promoted(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="no student has been promoted"):
        client.chat.completions.create(model="student", messages=ASK)  # type: ignore[arg-type]


def test_a_promoted_version_answers_with_a_plan_for_its_person(running: Serving, client: openai.OpenAI) -> None:
    name = running.promote(1)
    running.until(lambda: running.served() == name)
    text = plan(client)
    assert decode(text, "plan_creation")
    running.until(lambda: any(one.status == "answered" for one in running.interactions))
    noted = next(one for one in running.interactions if one.status == "answered")
    weights = running.store.read(model_file(name, "manifest.json"))
    sha = json.loads(weights)["files"]["adapter/adapter_model.safetensors"]["sha256"]
    assert (noted.model_version, noted.adapter_sha256, noted.base_model) == (name, sha, "toy")
    assert noted.completion_tokens
    assert noted.response == text


def test_a_plan_streams_and_ends_with_its_usage(client: openai.OpenAI, running: Serving) -> None:
    asked = question("student")
    chunks = list(
        client.chat.completions.create(  # type: ignore[call-overload]
            model="student",
            messages=asked["messages"],
            extra_body={"structured_outputs": asked["structured_outputs"]},
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert len(chunks) > 10
    assert {one.model for one in chunks} == {version(1)}
    assert chunks[-1].usage
    assert decode("".join(one.choices[0].delta.content or "" for one in chunks if one.choices), "plan_creation")


def test_an_answer_follows_a_json_schema_without_white_space(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["none", "some"]}, "count": {"type": "integer", "minimum": 1, "maximum": 3}},
        "required": ["kind", "count"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    answer = client.chat.completions.create(model="student", messages=ASK, response_format=wanted, max_tokens=60)  # type: ignore[call-overload]
    text = answer.choices[0].message.content or ""
    assert json.loads(text)["kind"] in ("none", "some")
    assert " " not in text


def test_tokens_are_counted_as_vllm_counts_them(running: Serving, client: openai.OpenAI) -> None:
    counter = StoredCards(running.store).card(version(1)).counter
    for text in ("Hi", "Größe 1,80 m; Knie schmerzt. 💪", "word " * 400, question("x")["messages"][1]["content"]):  # type: ignore[index]
        messages = [{"role": "system", "content": "You are a coach."}, {"role": "user", "content": str(text)}]
        answer = client.chat.completions.create(model="student", messages=messages, max_tokens=1)  # type: ignore[arg-type]
        assert answer.usage
        assert counter.count(messages) == answer.usage.prompt_tokens
        assert counter.bound(messages) >= answer.usage.prompt_tokens


def test_a_prompt_that_fits_nowhere_is_refused_with_numbers_before_vllm_sees_it(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=r"the prompt has \d+,\d+ tokens"):
        client.chat.completions.create(model="student", messages=[{"role": "user", "content": "word " * 100_000}])


@pytest.mark.parametrize("grammar", ["start: nowhere", "start: /(/", '%json {"type": 3}'])
def test_a_broken_grammar_is_the_askers_fault_and_harms_nobody(client: openai.OpenAI, grammar: str) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(  # type: ignore[call-overload]
            model="student", messages=ASK, extra_body={"structured_outputs": {"grammar": grammar}}, max_tokens=5
        )
    assert plan(client)


def test_a_client_that_leaves_stops_the_generation(running: Serving) -> None:
    """By a socket that is closed: a client library may read on for a while before it hangs up."""

    def written() -> float:
        return running.vllm_metric("vllm:generation_tokens_total")

    def nothing_more_is_written() -> bool:
        so_far = written()
        time.sleep(2)
        return written() == so_far

    before = written()
    body = {"model": "student", "messages": ASK, "stream": True, "max_tokens": 512} | LONG
    connection = http.client.HTTPConnection("127.0.0.1", running.router_port, timeout=120)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    assert response.read1(1)
    response.close()
    connection.close()
    running.until(lambda: any(one.status == "aborted" for one in running.interactions))
    running.until(nothing_more_is_written)
    assert written() - before < 512, "it was written to its end"


def test_the_next_version_takes_over_without_a_restart_and_a_rollback_is_a_promotion(
    running: Serving, client: openai.OpenAI
) -> None:
    second = running.promote(2)
    running.until(lambda: running.served() == second)
    assert plan(client)
    first = running.promote(1)
    running.until(lambda: running.served() == first)
    assert plan(client)


def test_a_canary_answers_its_share_of_users(running: Serving, client: openai.OpenAI) -> None:
    canary = running.promote(3, percent=50)
    running.until(lambda: "student-canary" in {one.id for one in client.models.list()} and _canary(client) == canary)
    service = client.with_options(api_key=running.plan_service())
    versions = set()
    for user in range(12):
        answer = service.chat.completions.create(
            model="student",
            messages=ASK,  # type: ignore[arg-type]
            max_tokens=1,
            extra_headers={"X-FitSense-User": f"user {user}"},
        )
        versions.add(answer.model)
    assert versions == {version(1), canary}
    running.promote(1)
    running.until(lambda: _canary(client) == version(1))


def _canary(client: openai.OpenAI) -> str:
    return str(client.models.retrieve("student-canary").version)  # type: ignore[attr-defined]


def test_a_corrupted_adapter_is_never_served(running: Serving, client: openai.OpenAI) -> None:
    name = version(4)
    running.promote(4)
    running.until(lambda: running.served() == name)
    running.promote(1)
    running.until(lambda: running.served() == version(1))
    for place in (running.out / model_file(name, "adapter"), running.out / "adapters" / name):
        weights = place / "adapter_model.safetensors"
        if weights.exists():
            weights.write_bytes(weights.read_bytes()[:-4] + b"oops")
    running.send_to_agent(promote(running.documents, name))
    running.until(lambda: any(isinstance(one, ModelLoadFailed) for one in running.told))
    failed = next(one for one in running.told if isinstance(one, ModelLoadFailed))
    assert "is not what its manifest says" in failed.reason
    assert client.chat.completions.create(model="student", messages=ASK, max_tokens=1).model == version(1)  # type: ignore[arg-type]
    running.promote(1)
    running.until(lambda: running.served() == version(1))


def test_a_killed_server_is_an_error_event_and_everything_comes_back_by_itself(
    running: Serving, client: openai.OpenAI
) -> None:
    with client.chat.completions.create(  # type: ignore[call-overload]
        model="student", messages=ASK, extra_body=LONG, stream=True, max_tokens=512
    ) as stream:
        pieces = iter(stream)
        next(pieces)
        kill(running.vllm)
        with pytest.raises(openai.APIError, match="broke off"):
            list(pieces)
    with pytest.raises(openai.InternalServerError):
        plan(client)
    restart_vllm(running)
    running.until(lambda: _plan_or_nothing(client) != "")


def _plan_or_nothing(client: openai.OpenAI) -> str:
    try:
        return plan(client)
    except openai.InternalServerError:
        return ""
