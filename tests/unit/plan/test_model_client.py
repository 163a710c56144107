import time
from collections.abc import Callable

import pytest

from services.plan.model_client import MOST_ANSWER_BYTES, ModelClient, ModelFailed, Patience
from services.plan.ports import Ask, Turn
from tests.openai_server import Behaviour, Call, OpenAIServer

ASK = Ask(
    system="You are a coach.",
    turns=(Turn(role="user", content="Hello"),),
    prompt_type="coach_chat",
    user_id="u1",
    request_id="r1",
    grammar='start: "x"',
)
QUICK = Patience(connect_s=60, first_words_s=0.4, between_words_s=0.4, total_s=600)
TOO_SLOW = Patience(connect_s=60, first_words_s=60, between_words_s=60, total_s=0.6)
QUICK_BETWEEN = Patience(connect_s=60, first_words_s=60, between_words_s=0.4, total_s=600)


def client(server: OpenAIServer, patience: Patience | None = None) -> ModelClient:
    return ModelClient(server.base_url.removesuffix("/v1"), lambda: "a-token", patience)


def serving(behaviour: Behaviour) -> OpenAIServer:
    return OpenAIServer(lambda number, call: behaviour)


def words(server: OpenAIServer, patience: Patience | None = None) -> list[str]:
    with client(server, patience).ask(ASK) as answer:
        return list(answer)


def failure(behaviour: Behaviour, patience: Patience | None = None) -> ModelFailed:
    with serving(behaviour) as server, pytest.raises(ModelFailed) as failed:
        words(server, patience)
    return failed.value


def test_words_come_one_by_one_with_the_version_that_wrote_them() -> None:
    behaviour = Behaviour(pieces=("Rest ", "two ", "minutes."), headers={"X-FitSense-Model-Version": "run-1"})
    with serving(behaviour) as server, client(server).ask(ASK) as answer:
        assert list(answer) == ["Rest ", "two ", "minutes."]
        assert answer.version == "run-1"
        assert not answer.truncated


def test_a_version_that_only_the_chunks_tell_counts() -> None:
    with serving(Behaviour(pieces=("x",))) as server, client(server).ask(ASK) as answer:
        list(answer)
        assert answer.version == "student"


def test_the_request_says_who_asks_how_and_within_which_grammar() -> None:
    seen: list[Call] = []

    def behave(_: int, call: Call) -> Behaviour:
        seen.append(call)
        return Behaviour()

    with OpenAIServer(behave) as server:
        words(server)
        assert server.seen.authorizations == ["Bearer a-token"]
    assert seen[0]["structured_outputs"] == {"grammar": 'start: "x"'}
    assert [message["role"] for message in seen[0]["messages"]] == ["system", "user"]
    assert seen[0]["stream"] is True
    assert seen[0]["max_tokens"] == 1024


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(status=429, headers={"Retry-After": "3"}), "busy"),
        (Behaviour(status=503), "busy"),
        (Behaviour(status=503, body=b'{"error": {"code": "no_model_served"}}'), "no_model"),
        (Behaviour(status=503, body=b" " * 5000 + b'"no_model_served"'), "busy"),
        (Behaviour(status=500), "broken"),
        (Behaviour(status=400), "refused"),
        (Behaviour(status=404), "refused"),
        (Behaviour(drop=True), "unreachable"),
        (Behaviour(body=b"<html>hello</html>"), "nonsense"),
        (Behaviour(lines=(b"data: {not json\n\n",)), "nonsense"),
        (Behaviour(lines=(b"data: [1, 2]\n\n",)), "broken"),
        (Behaviour(lines=(b'data: {"choices": [{"text": 1}]}\n\n',)), "nonsense"),
        (Behaviour(lines=(b'data: {"choices": 7}\n\n',)), "nonsense"),
        (Behaviour(lines=(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n',)), "nonsense"),
        (Behaviour(lines=(b'data: {"error": {"message": "out of memory"}}\n\n',)), "broken"),
        (Behaviour(lines=(b"data: " + b"x" * 70_000,)), "nonsense"),
        (Behaviour(lines=(b": " + b"x" * (MOST_ANSWER_BYTES // 8) + b"\n",) * 9), "nonsense"),
        (Behaviour(pieces=("a", "b", "c"), stop_after=2, cut=True), "broken"),
        (Behaviour(lines=(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n',)), "broken"),
    ],
)
def test_whatever_goes_wrong_is_told_apart(behaviour: Behaviour, reason: str) -> None:
    assert failure(behaviour).reason == reason


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(ModelFailed) as failed, ModelClient("http://127.0.0.1:9", lambda: "t").ask(ASK):
        pass
    assert failed.value.reason == "unreachable"


@pytest.mark.parametrize(
    ("behaviour", "patience", "reason"),
    [
        (Behaviour(delay_s=3600), QUICK, "silent"),
        (Behaviour(first_s=3600), QUICK, "silent"),
        (Behaviour(pieces=("a",), stop_after=0, pings=True), QUICK, "silent"),
        (Behaviour(pieces=("a", "b"), stop_after=1), QUICK_BETWEEN, "stalled"),
        (Behaviour(pieces=("a", "b"), stop_after=1, pings=True), QUICK_BETWEEN, "stalled"),
        (Behaviour(pieces=("a",) * 40_000, between_s=0.05), TOO_SLOW, "too_slow"),
    ],
)
def test_a_model_that_takes_too_long_is_left_at_the_limit(
    behaviour: Behaviour, patience: Patience, reason: str
) -> None:
    assert failure(behaviour, patience).reason == reason


def test_who_stops_reading_closes_the_connection() -> None:
    with serving(Behaviour(pieces=("a",) * 10_000, between_s=0.01)) as server:
        with client(server).ask(ASK) as answer:
            assert next(iter(answer)) == "a"
        until(lambda: server.seen.left == 1)


def test_an_answer_that_ran_out_of_tokens_says_so() -> None:
    with serving(Behaviour(pieces=("a",), finish_reason="length")) as server, client(server).ask(ASK) as answer:
        list(answer)
        assert answer.truncated


def test_connections_are_kept() -> None:
    with serving(Behaviour()) as server:
        asking = client(server)
        for _ in range(3):
            with asking.ask(ASK) as answer:
                list(answer)
        until(lambda: server.seen.answered == 3)


def until(holds: Callable[[], bool], most_s: float = 120) -> None:
    end = time.monotonic() + most_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)
