"""Endpoint: the teacher against a real server on the loopback that misbehaves in every way."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from functions.teacher.asks import Ask, Reply
from functions.teacher.budget import Budget
from functions.teacher.cache import StoredCache
from functions.teacher.endpoint import EndpointTeacher
from functions.teacher.line import hang_up
from shared.artifacts import DirectoryStore
from shared.errors import Rejected, Stopped, Unavailable
from shared.prompt import Prompt
from shared.run_config import OpenAICompatibleTeacher
from tests.openai_server import HANG, Behave, Behaviour, OpenAIServer, well

KEY = "sk-very-secret-1234567890"
THROTTLED = Behaviour(status=429, headers={"Retry-After": "0"})


@pytest.fixture(autouse=True)
def _closed_lines() -> Iterator[None]:
    yield
    hang_up()


@pytest.fixture
def serve() -> Iterator[Callable[[Behave], OpenAIServer]]:
    started: list[OpenAIServer] = []

    def start(behave: Behave = well) -> OpenAIServer:
        started.append(OpenAIServer(behave).__enter__())
        return started[-1]

    yield start
    for server in started:
        server.__exit__()


def asks(count: int, prefix: str = "message") -> list[Ask]:
    return [Ask(f"q{n}", Prompt("You are a coach.", f"{prefix} {n}"), "coach_chat") for n in range(count)]


def teacher(server: OpenAIServer, folder: Path, budget: Budget | None = None, **changes: Any) -> EndpointTeacher:
    settings: dict[str, Any] = {
        "base_url": server.base_url,
        "model": "big",
        "structured_output": "none",
        "concurrency": 4,
        "max_attempts": 2,
        "timeout_s": 5,
    }
    share, progress = changes.pop("share", 1), changes.pop("progress", lambda *_: None)
    cache = StoredCache(DirectoryStore(folder), changes.pop("run_id", "run"))
    made = OpenAICompatibleTeacher(provider="openai_compatible", **(settings | changes))
    return EndpointTeacher(made, KEY, cache, budget, share, progress)


def first(*behaviours: Behaviour) -> Behave:
    """Return a behaviour for the first calls; the rest are answered well."""
    return lambda number, _: behaviours[number] if number < len(behaviours) else Behaviour()


def always(behaviour: Behaviour) -> Behave:
    return lambda _number, _call: behaviour


def test_replies_come_in_the_order_of_the_asks_with_what_they_took(serve: Any, tmp_path: Path) -> None:
    server = serve(lambda number, _: Behaviour(delay_s=0.03 if number % 2 else 0))
    prices = {"usd_per_million_prompt_tokens": 1.0, "usd_per_million_completion_tokens": 2.0}
    replies = teacher(server, tmp_path, **prices).ask_all(asks(9))
    assert [reply.text for reply in replies] == [f"an answer to: message {n}" for n in range(9)]
    call = replies[1].call
    assert (call.prompt_tokens, call.completion_tokens, call.attempts, call.cached) == (100, 50, 1, False)
    assert call.cost_usd == pytest.approx(0.0002)
    assert call.request_id
    assert 0 < call.latency_ms < 5000
    assert set(server.seen.authorizations) == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("kind", "expected"), [("none", None), ("json_object", "json_object"), ("json_schema", "json_schema")]
)
def test_structured_output_is_asked_for_as_configured(
    serve: Any, tmp_path: Path, kind: str, expected: str | None
) -> None:
    server = serve()
    teacher(server, tmp_path, structured_output=kind).ask_all(asks(1))
    wanted = server.seen.bodies[0].get("response_format", {})
    assert wanted.get("type") == expected
    if kind == "json_schema":
        assert wanted["json_schema"]["schema"]["properties"]["reply"] == {"type": "string"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 302])
def test_a_refusal_is_final_and_names_status_message_and_field(serve: Any, tmp_path: Path, status: int) -> None:
    body = json.dumps({"error": {"message": f"no, not with {KEY}", "code": 7}}).encode()
    server = serve(always(Behaviour(status=status, body=body, headers={"Location": "http://127.0.0.1:9/"})))
    with pytest.raises(Rejected, match=rf"HTTP {status}: no, not with \[key\]; look at .*teacher\.") as refused:
        teacher(server, tmp_path, concurrency=1).ask_all(asks(5))
    assert server.seen.calls == 1
    assert KEY not in repr(refused.value)


def test_an_account_without_money_is_not_a_busy_minute(serve: Any, tmp_path: Path) -> None:
    body = b'{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
    server = serve(always(Behaviour(status=429, body=body)))
    with pytest.raises(Rejected, match=r"exceeded your quota.*account"):
        teacher(server, tmp_path, concurrency=1).ask_all(asks(2))


@pytest.mark.parametrize(
    "trouble",
    [
        Behaviour(status=500),
        Behaviour(status=503),
        Behaviour(drop=True),
        Behaviour(cut=True),
        Behaviour(body=b"<html>hello</html>"),
        Behaviour(body=b'{"choices": [{"mess'),
        Behaviour(body=b'{"choices": []}'),
        Behaviour(body=b'{"object": "list"}'),
        Behaviour(body=b""),
        Behaviour(body=b"[" * 100_000),
        Behaviour(content=None),
        Behaviour(content=None, usage=None),
        THROTTLED,
    ],
)
def test_trouble_is_tried_again(serve: Any, tmp_path: Path, trouble: Behaviour) -> None:
    server = serve(first(trouble))
    reply = teacher(server, tmp_path).ask_all(asks(1))[0]
    assert (reply.text, reply.error, reply.call.attempts) == ("an answer to: message 0", None, 2)


def test_a_hang_is_cut_off_and_tried_again(serve: Any, tmp_path: Path) -> None:
    server = serve(first(HANG))
    reply = teacher(server, tmp_path, timeout_s=0.2).ask_all(asks(1))[0]
    assert (reply.error, reply.call.attempts) == (None, 2)


def test_nothing_but_garbage_is_an_empty_reply_that_says_so(serve: Any, tmp_path: Path) -> None:
    server = serve(always(Behaviour(body=b"no json")))
    reply = teacher(server, tmp_path, usd_per_million_prompt_tokens=1e6).ask_all(asks(1))[0]
    assert (reply.text, reply.call.finish_reason, reply.call.attempts) == ("", "error", 2)
    assert "not a chat completion" in (reply.error or "")
    assert reply.call.cost_usd > 0


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_finish_reason_is_reported_and_not_retried(serve: Any, tmp_path: Path, reason: str) -> None:
    server = serve(always(Behaviour(content=None, finish_reason=reason)))
    reply = teacher(server, tmp_path).ask_all(asks(1))[0]
    assert (reply.text, reply.call.finish_reason, server.seen.calls) == ("", reason, 1)


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(serve: Any, tmp_path: Path, as_date: bool) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server = serve(first(Behaviour(status=429, headers={"Retry-After": moment if as_date else "0.6"})))
    begin = time.monotonic()
    reply = teacher(server, tmp_path).ask_all(asks(1))[0]
    assert time.monotonic() - begin >= 0.6
    assert reply.call.attempts == 2


def test_a_busy_minute_may_last_longer_than_max_attempts(serve: Any, tmp_path: Path) -> None:
    server = serve(first(*[THROTTLED] * 8))
    reply = teacher(server, tmp_path).ask_all(asks(1))[0]
    assert (reply.error, reply.call.attempts) == (None, 9)


def test_an_endpoint_that_wants_an_hour_is_unavailable(serve: Any, tmp_path: Path) -> None:
    server = serve(always(Behaviour(status=429, headers={"Retry-After": "3600"})))
    with pytest.raises(Unavailable, match="busy: HTTP 429"):
        teacher(server, tmp_path).ask_all(asks(1))


def test_an_endpoint_that_goes_down_is_unavailable_and_what_was_answered_is_kept(serve: Any, tmp_path: Path) -> None:
    down = True

    def behave(number: int, _: dict[str, Any]) -> Behaviour:
        return Behaviour(status=503) if down and number >= 6 else Behaviour()

    server = serve(behave)
    with pytest.raises(Unavailable, match="failed 2 times: HTTP 503"):
        teacher(server, tmp_path, concurrency=1).ask_all(asks(10))
    before, down = server.seen.calls, False
    replies = teacher(server, tmp_path, concurrency=1).ask_all(asks(10))
    assert server.seen.calls - before == 4
    assert [reply.call.cached for reply in replies] == [True] * 6 + [False] * 4


def test_nobody_listening_is_unavailable(tmp_path: Path, serve: Any) -> None:
    server = serve()
    server.base_url = "http://127.0.0.1:9/v1"
    with pytest.raises(Unavailable, match="cannot connect"):
        teacher(server, tmp_path).ask_all(asks(2))


def test_one_bad_prompt_among_good_ones_does_not_end_the_run(serve: Any, tmp_path: Path) -> None:
    def behave(_: int, call: dict[str, Any]) -> Behaviour:
        bad = call["messages"][-1]["content"] == "message 3"
        return Behaviour(status=500) if bad else Behaviour(delay_s=0.02)

    replies = teacher(serve(behave), tmp_path, concurrency=2, max_attempts=4).ask_all(asks(120))
    assert [reply.query_id for reply in replies if reply.error] == ["q3"]
    assert "HTTP 500" in (replies[3].error or "")


def test_shard_threads_share_the_limit_and_leave_no_idle_gap(serve: Any, tmp_path: Path) -> None:
    delay_s = 0.25  # so long that a busy machine hardly adds to it
    server = serve(always(Behaviour(delay_s=delay_s)))
    sizes = [4, 8, 40, 44]
    threads = [
        threading.Thread(target=teacher(server, tmp_path, concurrency=8).ask_all, args=[asks(size, f"{size}:")])
        for size in sizes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.seen.max_in_flight == 8
    took = server.seen.last_sent_s - server.seen.first_received_s
    assert took < 1.5 * sum(sizes) / 8 * delay_s  # with a fixed quarter of the limit each it would be 1.8


def test_requests_per_minute_hold_over_threads(serve: Any, tmp_path: Path) -> None:
    server = serve()
    changes = {"requests_per_minute": 3000, "concurrency": 16}
    threads = [
        threading.Thread(target=teacher(server, tmp_path, **changes).ask_all, args=[asks(15, str(shard))])
        for shard in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moments = server.seen.received_s
    assert moments[-1] - moments[0] >= 29 * 0.02 * 0.95


def test_a_second_run_pays_for_nothing(serve: Any, tmp_path: Path) -> None:
    server = serve()
    prices = {"usd_per_million_prompt_tokens": 1.0}
    once = teacher(server, tmp_path, **prices).ask_all(asks(5))
    again = teacher(server, tmp_path, run_id="another", **prices).ask_all(asks(5))
    assert server.seen.calls == 5
    assert [reply.text for reply in again] == [reply.text for reply in once]
    assert all(reply.call.cached and reply.call.cost_usd == 0 for reply in again)


def test_a_resumed_run_remembers_what_it_paid(serve: Any, tmp_path: Path) -> None:
    server = serve()
    prices = {"usd_per_million_prompt_tokens": 1.0}
    once = teacher(server, tmp_path, **prices).ask_all(asks(5))
    resumed = teacher(server, tmp_path, **prices).ask_all(asks(5))
    assert server.seen.calls == 5
    assert [reply.call.cost_usd for reply in resumed] == [reply.call.cost_usd for reply in once]
    assert once[0].call.cost_usd > 0


def test_what_the_answer_depends_on_is_in_the_key(serve: Any, tmp_path: Path) -> None:
    server = serve()
    for change in [{}, {"temperature": 0.1}, {"model": "small"}, {"structured_output": "json_object"}]:
        teacher(server, tmp_path, **change).ask_all(asks(1))
    assert server.seen.calls == 4


def test_identical_prompts_are_asked_once(serve: Any, tmp_path: Path) -> None:
    server = serve(always(Behaviour(delay_s=0.02)))
    same = [Ask(f"q{n}", Prompt("s", "the same"), "coach_chat") for n in range(6)]
    replies = teacher(server, tmp_path).ask_all(same)
    assert server.seen.calls == 1
    assert [reply.query_id for reply in replies] == [ask.query_id for ask in same]
    assert len({reply.text for reply in replies}) == 1


class CountingLedger:
    """What is left of a cap."""

    def __init__(self, left_usd: float) -> None:
        self.left_usd = left_usd

    def draw(self, usd: float) -> float:
        granted = min(usd, self.left_usd)
        self.left_usd -= granted
        return granted

    def give_back(self, usd: float) -> None:
        self.left_usd += usd


def test_the_cost_limit_stops_the_run_and_a_higher_one_resumes_it(serve: Any, tmp_path: Path) -> None:
    """Each call costs 0.05 USD, and could cost 0.064 and the request's bytes."""
    server = serve(always(Behaviour(delay_s=0.01)))
    changes: dict[str, Any] = {
        "usd_per_million_completion_tokens": 1000,
        "max_output_tokens": 64,
        "concurrency": 64,
    }
    ledger = CountingLedger(1.0)
    with pytest.raises(Stopped, match="max_cost_usd"):
        teacher(server, tmp_path, Budget(ledger, 1.0), **changes).ask_all(asks(100))
    spent = server.seen.calls
    assert 18 <= spent <= 20
    assert ledger.left_usd == pytest.approx(1 - spent * 0.05)
    teacher(server, tmp_path, Budget(CountingLedger(10.0), 10.0), **changes).ask_all(asks(100))
    assert server.seen.calls == 100


def test_the_key_stands_in_no_artifact_and_no_repr(serve: Any, tmp_path: Path) -> None:
    made = teacher(serve(), tmp_path)
    replies: list[Reply] = made.ask_all(asks(3))
    stored = [path.read_text() for path in tmp_path.rglob("*.json")]
    assert len(stored) == 3
    assert KEY not in "".join([*stored, repr(replies), repr(made), str(vars(made)["_settings"])])


def test_a_key_that_fits_no_header_is_refused_without_being_shown(serve: Any, tmp_path: Path) -> None:
    settings = OpenAICompatibleTeacher(provider="openai_compatible", base_url="http://x/v1", model="m")
    with pytest.raises(Rejected, match=r"teacher\.api_key_env") as refused:
        EndpointTeacher(settings, "sk-secret\nX-Evil: 1", StoredCache(DirectoryStore(tmp_path), "run"))
    assert "secret" not in str(refused.value)


def test_an_interrupt_ends_the_call_and_leaves_nothing_running(serve: Any, tmp_path: Path) -> None:
    server = serve(always(Behaviour(delay_s=2)))

    def interrupt(_answered: int, _cost_usd: float) -> None:
        raise KeyboardInterrupt

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        teacher(server, tmp_path, progress=interrupt).ask_all(asks(20))
    hang_up()
    assert time.monotonic() - begin < 1.5
    assert server.seen.calls == 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("teacher")]


def test_progress_ends_with_all_asks_and_what_they_cost(serve: Any, tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    prices = {"usd_per_million_completion_tokens": 20_000.0}
    made = teacher(serve(), tmp_path, progress=lambda *now: told.append(now), **prices)
    made.ask_all(asks(3))
    assert told[-1] == (3, pytest.approx(3.0))
