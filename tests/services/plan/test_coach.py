import pytest

from shared.coach.training_log import LiftTrend
from shared.log_summary import LogSummary
from tests.postgres import Server
from tests.services.plan.planning import Plant, events, planted
from tests.unit.plan.asking import FakeModel, chat_text


def summary(**changes: object) -> LogSummary:
    plain: dict[str, object] = {
        "weeks": 4,
        "planned_sessions": 12,
        "done_sessions": 12,
        "sets_per_week": 40.0,
        "avg_rir": 2.0,
        "lifts": (),
        "avg_sleep_h": 5.5,
        "avg_kcal": 2100,
        "weight_change_kg": 0.5,
    }
    return LogSummary.model_validate(plain | changes)


def test_a_question_is_answered_by_a_model_that_is_named(server: Server) -> None:
    with planted(
        server, FakeModel(chat_text("Rest two minutes between heavy sets. Less for isolation work."))
    ) as plant:
        reply = plant.user().post("/v1/coach", {"message": "How long should I rest between sets?"}).json
    assert reply["reply"].startswith("Rest two minutes")
    assert reply["writer"] == {"kind": "model", "model_version": "v1", "reason": None}


def test_a_streamed_reply_comes_by_the_sentence(server: Server) -> None:
    said = "Rest two minutes between heavy sets. Less for isolation work."
    with planted(server, FakeModel(chat_text(said))) as plant:
        told = events(plant.user().post("/v1/coach:stream", {"message": "How long should I rest between sets?"}))
    assert [name for name, _ in told] == ["text", "text", "reply"]
    assert "".join(one["text"] for _, one in told[:-1]) == told[-1][1]["reply"] == said


def test_without_a_model_questions_have_answers_of_the_rule_based_coach(plant: Plant) -> None:
    user = plant.user()
    reply = user.post("/v1/coach", {"message": "How much protein do I need?"}).json
    assert " g" in reply["reply"]
    assert reply["writer"]["kind"] == "rule_based"
    unknown = user.post("/v1/coach", {"message": "What is the capital of France?"}).json
    assert "cannot answer" in unknown["reply"]


def test_an_emergency_is_answered_at_once(server: Server) -> None:
    model = FakeModel()
    with planted(server, model) as plant:
        user = plant.user()
        reply = user.post("/v1/coach", {"message": "I have crushing chest pain right now"}).json
        told = events(user.post("/v1/coach:stream", {"message": "I have crushing chest pain right now"}))
    assert reply["escalation"] == told[-1][1]["escalation"] == "emergency"
    assert model.asks == []


def test_coaching_goes_on_while_logging_is_down_but_adapting_does_not(plant: Plant) -> None:
    user = plant.user()
    user.plan()
    plant.people.logging_is_down = True
    assert user.post("/v1/coach", {"message": "How much protein?"}).status_code == 200
    response = user.post("/v1/adaptation:next_week")
    assert response.status_code == 503
    assert response.headers["Retry-After"]


def test_next_week_is_adapted_with_every_suggestion_explained(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    plant.people.summaries[user.user_id] = summary()
    adapted = user.post("/v1/adaptation:next_week").json
    assert "sleep" in {signal["topic"] for signal in adapted["signals"]}
    assert all(signal["seen"] and signal["suggestion"] and signal["why"] for signal in adapted["signals"])
    proposal = adapted["proposal"]
    assert proposal["kind"] == "adaptation"
    assert proposal["edits"]
    path = f"/v1/plans/proposals/{proposal['proposal_id']}:decide"
    after = user.post(path, {"all": "accept"}).json["plan"]
    assert after["days"] != plan["days"]


def test_a_log_that_asks_for_nothing_leaves_the_plan(plant: Plant) -> None:
    user = plant.user()
    user.plan()
    plant.people.summaries[user.user_id] = summary(avg_sleep_h=8.0)
    adapted = user.post("/v1/adaptation:next_week").json
    assert adapted["proposal"] is None
    assert adapted["signals"]


def test_without_a_plan_there_is_nothing_to_adapt(plant: Plant) -> None:
    assert plant.user().post("/v1/adaptation:next_week").status_code == 409


def test_an_adaptation_asked_twice_under_one_key_is_one_proposal(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    line = plan["days"][0]["exercises"][0]["exercise"]
    lift = LiftTrend(exercise=line, first_e1rm_kg=50, last_e1rm_kg=50, trend="plateau")
    plant.people.summaries[user.user_id] = summary(avg_sleep_h=8.0, lifts=(lift,))
    first = user.post("/v1/adaptation:next_week", Idempotency_Key="w1").json
    assert user.post("/v1/adaptation:next_week", Idempotency_Key="w1").json == first
    assert len(user.get(f"/v1/plans/{plan['plan_id']}/proposals").json["proposals"]) == 1


def test_a_stream_asked_for_twice_under_one_key_asks_a_model_once(server: Server) -> None:
    model = FakeModel(chat_text("Rest two minutes between heavy sets. Less for isolation work."))
    with planted(server, model) as plant:
        user = plant.user()
        asked = {"message": "How long should I rest between sets?"}
        first = events(user.post("/v1/coach:stream", asked, Idempotency_Key="c1"))
        again = events(user.post("/v1/coach:stream", asked, Idempotency_Key="c1"))
        other = user.post("/v1/coach:stream", {"message": "And how often?"}, Idempotency_Key="c1")
    assert again == [first[-1]]
    assert other.status_code == 409
    assert len(model.asks) == 1


@pytest.mark.parametrize("body", [{}, {"message": ""}, {"message": 1}, {"message": "x", "extra": 1}, b"\xff", [1]])
def test_bad_questions_are_refused(plant: Plant, body: object) -> None:
    for path in ("/v1/coach", "/v1/coach:stream"):
        assert plant.user().post(path, body).status_code == 400
