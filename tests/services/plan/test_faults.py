import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.plan.model_client import ModelClient, Patience
from shared.coach.planner import make_plan
from tests.openai_server import Behaviour, Call, OpenAIServer
from tests.people import person
from tests.postgres import Server
from tests.postgres import server as run_server
from tests.services.plan.planning import Asking, Plant, events, parsed, planted
from tests.unit.plan.asking import chat_text, in_pieces, plan_text

PLAN = make_plan(person(), 3)
TEXT = plan_text(PLAN)
PATIENCE = Patience(connect_s=120, first_words_s=120, between_words_s=120, total_s=600)
QUICK = Patience(connect_s=120, first_words_s=0.5, between_words_s=0.5, total_s=600)


def client(server: OpenAIServer, patience: Patience = PATIENCE) -> ModelClient:
    return ModelClient(server.base_url.removesuffix("/v1"), lambda: "t", patience)


def until(holds: Callable[[], bool], most_s: float = 120) -> None:
    end = time.monotonic() + most_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


def halves(number: int, call: Call) -> Behaviour:
    """Stop in the middle of the second day."""
    return Behaviour(pieces=in_pieces(TEXT, 20), stop_after=len(TEXT) // 40, cut=True)


def test_a_backend_that_dies_in_the_middle_is_an_error_event_and_then_a_rule_based_plan(server: Server) -> None:
    with OpenAIServer(halves) as upstream, planted(server, client(upstream)) as plant:
        user = plant.user()
        told = events(user.post("/v1/plans:stream", {}))
        names = [name for name, _ in told]
        assert names[0] == "day"
        assert names.count("error") == 1
        at = names.index("error")
        assert told[at][1]["code"] == "broken"
        assert names[at + 1 :] == ["day", "day", "day", "plan"]
        assert told[-1][1]["writer"] == {"kind": "rule_based", "model_version": None, "reason": "broken"}
        assert user.get("/v1/plans/current").json == told[-1][1]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(status=503), "busy"),
        (Behaviour(status=429), "busy"),
        (Behaviour(status=500), "broken"),
        (Behaviour(drop=True), "unreachable"),
        (Behaviour(delay_s=3600), "silent"),
        (Behaviour(first_s=3600), "silent"),
        (Behaviour(body=b"hello"), "nonsense"),
        (Behaviour(pieces=("I would ", "rather not.")), "invalid"),
        (Behaviour(pieces=in_pieces(chat_text("A reply where a plan was asked for"))), "invalid"),
        (Behaviour(pieces=in_pieces(TEXT, 40), finish_reason="length"), None),
    ],
)
def test_whatever_a_backend_does_there_is_a_plan(server: Server, behaviour: Behaviour, reason: str | None) -> None:
    patience = QUICK if reason == "silent" else PATIENCE
    with OpenAIServer(lambda *_: behaviour) as upstream, planted(server, client(upstream, patience)) as plant:
        told = events(plant.user().post("/v1/plans:stream", {}))
        assert told[-1][0] == "plan"
        writer = told[-1][1]["writer"]
        assert (writer["kind"], writer["reason"]) == (("model", None) if reason is None else ("rule_based", reason))


def test_a_real_stream_is_told_while_it_comes(server: Server) -> None:
    slow = Behaviour(pieces=in_pieces(TEXT, 30), between_s=0.01, headers={"X-FitSense-Model-Version": "run-7"})
    with OpenAIServer(lambda *_: slow) as upstream, planted(server, client(upstream)) as plant:
        told = events(plant.user().post("/v1/plans:stream", {}))
    assert [name for name, _ in told] == ["day", "day", "day", "plan"]
    assert told[-1][1]["writer"] == {"kind": "model", "model_version": "run-7", "reason": None}


def test_no_connection_is_held_while_a_model_thinks(server: Server) -> None:
    """With one connection and ten stalled models, everything else is answered."""
    with OpenAIServer(lambda *_: Behaviour(first_s=3600)) as upstream:
        with planted(server, client(upstream), pool=1) as plant:
            user = plant.user()
            paths = ("/v1/plans:stream", "/v1/coach:stream") * 5
            ends: list[str] = []
            readers = [threading.Thread(target=read, args=(plant, user.user_id, path, ends)) for path in paths]
            for reader in readers:
                reader.start()
            until(lambda: upstream.seen.in_flight == len(readers))
            for _ in range(20):
                assert user.get("/v1/plans").status_code == 200
                assert user.get("/v1/plans/current").status_code == 404
            held = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'fitsense_plan' AND state LIKE 'idle in%'"
            assert plant.server.sql(held) == [[0]]
            upstream.hang_up()
            for reader in readers:
                reader.join(180)
            assert sorted(ends) == ["plan"] * 5 + ["reply"] * 5
            assert len(user.get("/v1/plans").json["plans"]) == 5


def read(plant: Plant, user_id: str, path: str, ends: list[str]) -> None:
    """Read a stream to its end, and note how it ended."""
    body = {} if "plans" in path else {"message": "How long should I rest?"}
    ends.append(events(Asking(plant, user_id).post(path, body))[-1][0])


def test_who_leaves_closes_the_connection_to_the_model(server: Server) -> None:
    behaviour = Behaviour(pieces=in_pieces(TEXT, 20), stop_after=len(TEXT) // 40)
    with OpenAIServer(lambda *_: behaviour) as upstream, planted(server, client(upstream)) as plant:
        user = plant.user()
        response = user.client.post(
            "/v1/plans:stream", json={}, headers={"Authorization": f"Bearer {user.user_id}"}, buffered=False
        )
        first = next(iter(response.response))
        assert next(parsed(first.decode()))[0] == "day"
        response.close()
        until(lambda: upstream.seen.in_flight == 0)
        assert upstream.seen.answered == 0
        assert user.get("/v1/plans").json["plans"] == []


def test_postgres_may_be_stopped_and_started_in_the_middle(tmp_path: Path) -> None:
    with run_server(tmp_path) as own, planted(own) as plant:
        user = plant.user()
        plan = user.plan()
        own.stop(signal.SIGINT)
        for method, path, body in (
            ("GET", "/v1/plans/current", None),
            ("POST", "/v1/plans", {}),
            ("POST", f"/v1/plans/{plan['plan_id']}:activate", None),
            ("PATCH", f"/v1/plans/{plan['plan_id']}", {"edits": [{"op": "remove", "day": plan["days"][0]["weekday"]}]}),
        ):
            response = user.send(method, path, body, If_Match='"1"')
            assert response.status_code == 503, (path, response.json)
            assert response.headers["Retry-After"]
        told = events(user.post("/v1/plans:stream", {}))
        assert told[-1] == ("error", {"code": "unavailable", "message": told[-1][1]["message"], "final": True})
        assert plant.app.test_client().get("/readyz").status_code == 503
        assert plant.app.test_client().get("/healthz").status_code == 200
        own.start()
        until(lambda: user.get("/v1/plans/current").status_code == 200)
        assert user.get("/v1/plans/current").json == plan
        assert len(user.get("/v1/plans").json["plans"]) == 1
        assert user.plan()["status"] == "active"


def test_a_job_that_meets_a_stopped_postgres_is_done_later(tmp_path: Path) -> None:
    with run_server(tmp_path) as own, planted(own) as plant:
        user = plant.user()
        path = user.post("/v1/plans", {}).headers["Location"]
        own.stop(signal.SIGINT)
        with pytest.raises(Exception, match="database"):
            plant.work_all()
        own.start()
        until(lambda: user.get(path).status_code == 200)
        plant.work_all()
        assert user.get(path).json["status"] == "completed"
