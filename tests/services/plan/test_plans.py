from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.plan.schemas import PlanView
from shared.coach.plan import EditsAnswer
from shared.coach.planner import make_plan
from shared.events import PlanJobRequested
from tests.people import person
from tests.postgres import Server
from tests.racing import in_threads
from tests.services.plan.planning import SERVICE, Asking, Plant, events, planted, push
from tests.unit.plan.asking import FakeModel, edits_text, faulty, plan_text


def test_a_streamed_plan_is_the_current_one_and_says_who_wrote_it(plant: Plant) -> None:
    user = plant.user()
    told = events(user.post("/v1/plans:stream", {}))
    assert [name for name, _ in told] == ["day", "day", "day", "plan"]
    plan = told[-1][1]
    assert [day["day"] for _, day in told[:-1]] == plan["days"]
    assert plan["writer"] == {"kind": "rule_based", "model_version": None, "reason": "no_model"}
    current = user.get("/v1/plans/current")
    assert current.json == plan
    assert current.headers["ETag"] == '"1"'
    assert PlanView.model_validate(current.json).status == "active"


def test_a_plan_by_a_model_names_the_version(server: Server) -> None:
    with planted(server, FakeModel(plan_text(make_plan(person(), 2)))) as plant:
        plan = plant.user().plan()
        assert plan["writer"]["model_version"] == "v1"
        assert plant.interactions == []


def test_an_answer_without_a_model_is_an_interaction_that_says_why(plant: Plant) -> None:
    user = plant.user()
    user.plan()
    (told,) = plant.interactions
    assert (told.user_id, told.status, told.reason, told.alias) == (
        user.user_id,
        "fallback",
        "no_model",
        "rule-based-coach",
    )


def test_a_wrong_day_is_taken_back_in_the_stream(server: Server) -> None:
    plan = make_plan(person(experience="beginner"), 1)
    with planted(server, FakeModel(faulty(plan), plan_text(plan))) as plant:
        told = events(plant.user(experience="beginner").post("/v1/plans:stream", {}))
    assert [name for name, _ in told] == ["day", "error", "day", "day", "day", "plan"]
    assert told[1][1] == {
        "code": "unfit",
        "message": "the answer was not right for this person, and is written again",
        "final": False,
    }


def test_what_was_wished_for_is_in_the_plan(plant: Plant) -> None:
    plan = plant.user().plan(goal="strength", days_per_week=2, session_minutes=30, equipment=["dumbbells"])
    assert (plan["goal"], len(plan["days"])) == ("strength", 2)
    assert all(day["minutes"] <= 36 for day in plan["days"])


def test_an_emergency_makes_no_plan_and_keeps_the_one_there_is(plant: Plant) -> None:
    user = plant.user()
    before = user.plan()
    told = events(user.post("/v1/plans:stream", {"message": "New plan please, I had chest pain and fainted yesterday"}))
    assert [name for name, _ in told] == ["escalation"]
    assert told[0][1]["escalation"] == "emergency"
    assert user.get("/v1/plans/current").json == before


def test_without_a_profile_there_is_a_conflict_before_any_byte(plant: Plant) -> None:
    user = plant.user()
    del plant.people.profiles[user.user_id]
    for path in ("/v1/plans", "/v1/plans:stream"):
        response = user.post(path, {})
        assert response.status_code == 409
        assert "onboarding" in response.json["error"]["message"]


def test_a_job_makes_a_plan_once_however_often_it_is_delivered(plant: Plant) -> None:
    user = plant.user()
    response = user.post("/v1/plans", {"days_per_week": 4})
    assert response.status_code == 202
    job = user.get(response.headers["Location"]).json
    assert job["status"] == "queued"
    for _ in range(3):
        plant.work_all()
    job = user.get(response.headers["Location"]).json
    assert (job["status"], job["escalation"]) == ("completed", "none")
    plans = user.get("/v1/plans").json["plans"]
    assert [plan["plan_id"] for plan in plans] == [job["plan_id"]]
    assert len(user.get("/v1/plans/current").json["days"]) == 4


def test_jobs_delivered_twice_at_once_make_one_plan(plant: Plant) -> None:
    user = plant.user()
    user.post("/v1/plans", {})
    (event,) = [event for event in plant.events if isinstance(event, PlanJobRequested)]
    headers = {"Authorization": f"Bearer {SERVICE}"}

    def deliver(_: int) -> int:
        client = plant.app.test_client()
        return client.post("/events/plan-job-requested", json=push(event), headers=headers).status_code

    assert set(in_threads(6, deliver)) <= {204, 503}
    assert len(user.get("/v1/plans").json["plans"]) == 1


def test_a_job_whose_worker_died_is_taken_over_and_the_dead_one_does_not_count(plant: Plant) -> None:
    user = plant.user()
    job_id = user.post("/v1/plans", {}).json["job_id"]
    (_event,) = [event for event in plant.events if isinstance(event, PlanJobRequested)]
    dead = plant.deps.jobs.claim(user.user_id, UUID(job_id))
    assert dead is not None
    plant.server.sql("UPDATE plan.jobs SET lease_until = now() - interval '1 s'", plant.name)
    plant.work_all()
    assert user.get(f"/v1/plans/jobs/{job_id}").json["status"] == "completed"
    plant.deps.jobs.note_days(dead, 5)
    plant.deps.jobs.release(dead)
    assert user.get(f"/v1/plans/jobs/{job_id}").json["status"] == "completed"


def test_a_job_whose_event_was_lost_is_published_again_when_it_is_asked_about(plant: Plant) -> None:
    user = plant.user()
    path = user.post("/v1/plans", {}).headers["Location"]
    plant.events.clear()
    user.get(path)
    assert plant.events == []
    old = "created_at = now() - interval '1 hour', updated_at = now() - interval '1 hour'"
    plant.server.sql(f"UPDATE plan.jobs SET {old}", plant.name)
    user.get(path)
    user.get(path)
    assert [type(event) for event in plant.events] == [PlanJobRequested]
    plant.work_all()
    assert user.get(path).json["status"] == "completed"


def test_a_job_that_cannot_be_done_fails_with_a_reason(plant: Plant) -> None:
    user = plant.user()
    path = user.post("/v1/plans", {}).headers["Location"]
    del plant.people.profiles[user.user_id]
    plant.work_all()
    job = user.get(path).json
    assert job["status"] == "failed"
    assert "onboarding" in job["message"]


def test_pushes_without_an_identity_are_refused(plant: Plant) -> None:
    user = plant.user()
    event = PlanJobRequested(job_id=str(uuid4()), user_id=user.user_id)
    path = "/events/plan-job-requested"
    assert user.post(path, push(event)).status_code == 401
    headers = {"Authorization": f"Bearer {SERVICE}"}
    assert plant.app.test_client().post(path, json=push(event), headers=headers).status_code == 404
    assert plant.app.test_client().post(path, json={"message": {"data": "?"}}, headers=headers).status_code == 400


def test_one_plan_is_active_and_any_can_be_made_so(plant: Plant) -> None:
    user = plant.user()
    first, second = user.plan(), user.plan(goal="strength")
    assert user.get(f"/v1/plans/{first['plan_id']}").json["status"] == "inactive"
    assert user.post(f"/v1/plans/{first['plan_id']}:activate").json["status"] == "active"
    assert user.get("/v1/plans/current").json["plan_id"] == first["plan_id"]
    assert user.post(f"/v1/plans/{first['plan_id']}:archive").json["status"] == "archived"
    assert user.get("/v1/plans/current").status_code == 404
    assert [plan["plan_id"] for plan in user.get("/v1/plans").json["plans"]] == [second["plan_id"]]
    assert len(user.get("/v1/plans?archived=true").json["plans"]) == 2


def test_a_plan_that_is_not_to_be_active_is_not(plant: Plant) -> None:
    user = plant.user()
    first = user.plan()
    second = user.plan(activate=False)
    assert second["status"] == "inactive"
    assert user.get("/v1/plans/current").json["plan_id"] == first["plan_id"]


def test_lists_go_on_where_they_stopped(plant: Plant) -> None:
    user = plant.user()
    made = [user.plan()["plan_id"] for _ in range(5)]
    seen, path = [], "/v1/plans?most=2"
    while path:
        page = user.get(path).json
        seen += [plan["plan_id"] for plan in page["plans"]]
        path = f"/v1/plans?most=2&before={page['next']}" if page["next"] else ""
    assert seen == made[::-1]
    times = [datetime.fromisoformat(plan["created_at"]) for plan in user.get("/v1/plans").json["plans"]]
    assert times == sorted(times, reverse=True)


def test_a_thousand_plans_cannot_be_made(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.plan.repository.MOST_PLANS", 2)
    user = plant.user()
    user.plan()
    user.plan()
    told = events(user.post("/v1/plans:stream", {}))
    assert told[-1][0] == "error"
    assert told[-1][1]["final"] is True
    assert len(user.get("/v1/plans").json["plans"]) == 2


@pytest.mark.parametrize("round_", range(3))
def test_whatever_races_one_plan_is_active(plant: Plant, round_: int) -> None:
    user = plant.user()
    plans = [user.plan()["plan_id"] for _ in range(3)]

    def race(number: int) -> int:
        own = Asking(plant, user.user_id)
        if number % 2:
            return own.post(f"/v1/plans/{plans[number % 3]}:activate").status_code
        return own.post("/v1/plans:stream", {}).status_code

    assert set(in_threads(8, race)) == {200}
    active = plant.server.sql("SELECT count(*) FROM plan.plans WHERE status = 'active'", plant.name)
    assert active == [[1]]
    assert user.get("/v1/plans/current").status_code == 200


def test_one_key_is_one_plan_whatever_races(plant: Plant) -> None:
    user = plant.user()

    def race(number: int) -> str:
        told = events(Asking(plant, user.user_id).post("/v1/plans:stream", {}, Idempotency_Key="once"))
        return str(told[-1][1]["plan_id"])

    assert len(set(in_threads(6, race))) == 1
    assert len(user.get("/v1/plans").json["plans"]) == 1


def test_one_key_is_one_job_and_one_event(plant: Plant) -> None:
    user = plant.user()
    jobs = {
        job["job_id"]
        for job in in_threads(6, lambda _: Asking(plant, user.user_id).post("/v1/plans", {}, Idempotency_Key="k").json)
    }
    assert len(jobs) == 1
    assert len([event for event in plant.events if isinstance(event, PlanJobRequested)]) == 1


def test_a_key_that_was_used_for_something_else_is_a_conflict(plant: Plant) -> None:
    user = plant.user()
    assert user.post("/v1/plans", {}, Idempotency_Key="k").status_code == 202
    assert user.post("/v1/plans", {"days_per_week": 2}, Idempotency_Key="k").status_code == 409
    assert user.post("/v1/plans:stream", {}, Idempotency_Key="k").status_code == 409


def test_a_key_is_the_users_own(plant: Plant) -> None:
    one, other = plant.user(), plant.user()
    first = one.post("/v1/plans", {}, Idempotency_Key="k").json["job_id"]
    assert other.post("/v1/plans", {"days_per_week": 2}, Idempotency_Key="k").json["job_id"] != first


def test_what_is_asked_again_under_its_key_is_answered_again_without_a_model(server: Server) -> None:
    nothing = edits_text(EditsAnswer(escalation="none", edits=(), explanation="Everything is fine as it is, go on."))
    model = FakeModel(plan_text(make_plan(person(), 2)), nothing, nothing)
    with planted(server, model) as plant:
        user = plant.user()
        plan_id = user.plan()["plan_id"]
        path = f"/v1/plans/{plan_id}:modify"
        wish = {"message": "colourless green ideas"}
        first = user.post(path, wish, Idempotency_Key="m")
        asked = len(model.asks)
        again = user.post(path, wish, Idempotency_Key="m")
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json == first.json
        assert len(model.asks) == asked


def test_bad_input_names_its_field(plant: Plant) -> None:
    user = plant.user()
    for body, field in (
        ({"days_per_week": 0}, "days_per_week"),
        ({"days_per_week": 100}, "days_per_week"),
        ({"days_per_week": "3"}, "days_per_week"),
        ({"days_per_week": True}, "days_per_week"),
        ({"session_minutes": -1}, "session_minutes"),
        ({"goal": "dragon"}, "goal"),
        ({"goal": ""}, "goal"),
        ({"equipment": ["time-machine"]}, "equipment.0"),
        ({"equipment": ["no such thing"]}, "equipment.0"),
        ({"message": ""}, "message"),
        ({"message": " "}, "message"),
        ({"message": "x" * 2001}, "message"),
        ({"message": "\x00"}, "message"),
        ({"surprise": 1}, "surprise"),
        ({"activate": "yes"}, "activate"),
        ([], "body"),
        (b"{", "body"),
        (b'{"days_per_week": NaN}', "days_per_week"),
        (b'{"message": "\\ud800"}', "body"),
        (b"[" * 20_000, "body"),
        (b"\xff", "body"),
    ):
        for path in ("/v1/plans", "/v1/plans:stream"):
            response = user.post(path, body)
            assert response.status_code == 400, body
            assert response.json["error"]["fields"][0]["field"].startswith(field), (body, response.json)
    assert user.post("/v1/plans", b"x" * 70_000).status_code == 413
    assert user.get("/v1/plans").json["plans"] == []


def test_all_of_a_user_can_be_exported_and_goes_with_them(plant: Plant) -> None:
    user, other = plant.user(), plant.user()
    plan = user.plan()
    other.plan()
    user.post(f"/v1/plans/{plan['plan_id']}:modify", {"message": "make it harder"})
    path = f"/internal/users/{user.user_id}/plans"
    headers = {"Authorization": f"Bearer {SERVICE}"}
    exported = plant.app.test_client().get(path, headers=headers).json
    assert [one["plan_id"] for one in exported["plans"]] == [plan["plan_id"]]
    assert len(exported["proposals"]) == 1
    assert user.get(path).status_code == 401
    plant.server.sql(f"DELETE FROM profile.users WHERE user_id = '{user.user_id}'", plant.name)
    left = plant.server.sql("SELECT count(DISTINCT user_id), count(*) FROM plan.revisions", plant.name)
    assert left == [[1, 1]]


def test_a_query_without_a_user_sees_nothing(plant: Plant) -> None:
    plant.user().plan()
    with plant.database.transaction(None) as connection:
        for table in ("plans", "revisions", "proposals", "jobs", "receipts"):
            assert connection.execute(text(f"SELECT count(*) FROM plan.{table}")).scalar() == 0
