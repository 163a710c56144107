"""Interactions: what the bus tells of models is kept once, without what identifies people, and for a while."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from shared.events import AiInteraction
from tests.postgres import Server
from tests.services.rig import PASSWORD, Person, Rig


def interaction(user_id: str | None, **more: object) -> AiInteraction:
    fields = {
        "interaction_id": str(uuid4()),
        "request_id": "r-1",
        "occurred_at": datetime.now(UTC),
        "user_id": user_id,
        "caller": "plan",
        "prompt_type": "coach_chat",
        "alias": "student",
        "model_version": "20261125T100000Z-00000000-11111111",
        "base_model": "b",
        "adapter_sha256": None,
        "status": "answered",
        "reason": None,
        "stream": True,
        "prompt": "Write to ann@example.com or +49 170 1234567, see https://x.example/a?b",
        "response": "Do 3 x 8 with 60 kg.",
        "prompt_uri": None,
        "response_uri": None,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "latency_ms": 120.5,
        "ttft_ms": 30.0,
        "queue_ms": 1.0,
        "cost_usd": 0.001,
        "safety_flags": ("a_flag",),
        "context": {"plan_id": "p"},
    }
    return AiInteraction.model_validate(fields | more)


def push(rig: Rig, data: bytes, token: str | None = None) -> TestResponse:
    message = {"data": base64.b64encode(data).decode(), "messageId": "1", "publishTime": "2026-11-25T00:00:00Z"}
    body = {"message": message | {"attributes": {}}, "subscription": "projects/p/subscriptions/s", "deliveryAttempt": 2}
    token = rig.identities.sign("logging") if token is None else token
    headers = {"Authorization": f"Bearer {token}"}
    return rig.logging.test_client().post("/events/ai-interaction", json=body, headers=headers)


def test_an_event_that_comes_three_times_is_one_row(rig: Rig, ann: Person) -> None:
    event = interaction(ann.user_id)
    assert [push(rig, event.data()).status_code for _ in range(3)] == [204] * 3
    (kept,) = ann.get("/v1/interactions")["interactions"]
    assert kept["interaction_id"] == event.interaction_id
    assert (kept["model_version"], kept["latency_ms"], kept["ttft_ms"]) == (event.model_version, 120.5, 30.0)
    assert (kept["prompt_tokens"], kept["completion_tokens"], kept["safety_flags"]) == (10, 20, ["a_flag"])


def test_what_identifies_somebody_is_not_kept(rig: Rig, ann: Person) -> None:
    push(rig, interaction(ann.user_id).data())
    (kept,) = ann.get("/v1/interactions")["interactions"]
    assert kept["prompt"] == "Write to [e-mail] or [number], see [link]"
    assert kept["response"] == "Do 3 x 8 with 60 kg."


@pytest.mark.parametrize("user_id", [None, "an-api-key"])
def test_what_belongs_to_no_user_is_kept_and_seen_by_none(
    server: Server, database_name: str, rig: Rig, ann: Person, user_id: str | None
) -> None:
    assert push(rig, interaction(user_id).data()).status_code == 204
    assert server.sql("SELECT count(*) FROM logging.interactions WHERE user_id IS NULL", database_name) == [[1]]
    assert ann.get("/v1/interactions")["interactions"] == []


def test_an_event_of_somebody_who_has_left_is_acknowledged_and_forgotten(rig: Rig, ann: Person) -> None:
    ann.ask("DELETE", "/v1/me", {"password": PASSWORD})
    assert push(rig, interaction(ann.user_id).data()).status_code == 204


@pytest.mark.parametrize("data", [b"{}", b"not json", b'{"interaction_id": "x"}'])
def test_a_message_that_is_no_such_event_is_refused_for_good(rig: Rig, data: bytes) -> None:
    assert push(rig, data).status_code == 400


def test_whoever_pushes_has_to_say_who_they_are(rig: Rig, ann: Person) -> None:
    event = interaction(ann.user_id).data()
    assert push(rig, event, token="").status_code == 401
    assert push(rig, event, token=ann.session["access_token"]).status_code == 401
    assert push(rig, event, token=rig.identities.sign("profile")).status_code == 401


def test_what_is_past_its_time_is_deleted_and_nothing_else(
    server: Server, database_name: str, rig: Rig, ann: Person
) -> None:
    old = interaction(ann.user_id, occurred_at=datetime.now(UTC) - timedelta(days=91))
    push(rig, old.data())
    new = interaction(ann.user_id)
    push(rig, new.data())
    rig.log_deps.interactions.forget_expired()
    left = server.sql("SELECT interaction_id::text FROM logging.interactions", database_name)
    assert left == [[new.interaction_id]]


def test_pages_of_interactions_lose_and_repeat_nothing(rig: Rig, ann: Person) -> None:
    began = datetime.now(UTC) - timedelta(hours=1)
    wanted = []
    for number in range(5):
        event = interaction(ann.user_id, occurred_at=began + timedelta(seconds=number // 2))
        push(rig, event.data())
        wanted.append(event.interaction_id)
    seen, path = [], "/v1/interactions?limit=2"
    while path:
        page = ann.get(path)
        seen += [one["interaction_id"] for one in page["interactions"]]
        path = f"/v1/interactions?limit=2&cursor={page['next']}" if page["next"] else ""
    assert sorted(seen) == sorted(wanted)
