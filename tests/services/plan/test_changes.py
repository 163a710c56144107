from uuid import UUID, uuid4

import pytest

from shared.coach.profile import HealthIssue
from tests.people import person
from tests.racing import in_threads
from tests.services.plan.planning import Asking, Plant


def named(plan: dict, day: int = 0) -> tuple[str, list[dict]]:
    return plan["days"][day]["weekday"], plan["days"][day]["exercises"]


def edits(plan: dict, value: int = 4) -> dict:
    weekday, lines = named(plan)
    return {"edits": [{"op": "rir", "day": weekday, "exercise": lines[0]["exercise"], "value": value}]}


def as_body(plan: dict) -> dict:
    lines = ("exercise", "sets", "reps", "rir", "rest_s")
    days = [
        {
            "weekday": day["weekday"],
            "name": day["name"],
            "exercises": [{name: line[name] for name in lines} for line in day["exercises"]],
        }
        for day in plan["days"]
    ]
    return {"name": plan["name"], "days": days}


def test_an_edit_makes_a_new_revision_by_the_user(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    response = user.send("PATCH", f"/v1/plans/{plan['plan_id']}", edits(plan), If_Match='"1"')
    assert response.status_code == 200
    assert response.headers["ETag"] == '"2"'
    changed = response.json["plan"]
    assert (changed["revision"], changed["writer"]["kind"]) == (2, "user")
    assert changed["days"][0]["exercises"][0]["rir"] == 4
    assert user.get("/v1/plans/current").json == changed


def test_a_plan_is_written_whole(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    body = as_body(plan) | {"name": "Mine"}
    body["days"] = body["days"][:2]
    response = user.send("PUT", f"/v1/plans/{plan['plan_id']}", body, If_Match='"1"')
    assert response.json["plan"]["name"] == "Mine"
    assert len(response.json["plan"]["days"]) == 2
    assert "days_match" in {warning["rule"] for warning in response.json["warnings"]}


def test_what_was_written_for_an_older_revision_is_refused(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    path = f"/v1/plans/{plan['plan_id']}"
    assert user.send("PATCH", path, edits(plan), If_Match='"1"').status_code == 200
    assert user.send("PATCH", path, edits(plan, 3), If_Match='"1"').status_code == 412
    assert user.send("PATCH", path, edits(plan, 3)).status_code == 428
    assert user.send("PATCH", path, edits(plan, 3), If_Match="*").status_code == 400
    assert user.get(path).json["revision"] == 2


def test_of_edits_made_at_once_for_one_revision_one_counts(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    path = f"/v1/plans/{plan['plan_id']}"

    def race(number: int) -> int:
        return Asking(plant, user.user_id).send("PATCH", path, edits(plan, number % 6), If_Match='"1"').status_code

    assert sorted(in_threads(6, race)) == [200, 412, 412, 412, 412, 412]
    assert user.get(path).json["revision"] == 2


def test_what_health_rules_out_is_not_written_in(plant: Plant) -> None:
    user = plant.user(conditions=(HealthIssue(id="osteoporosis", severity="severe"),), age=67)
    plan = user.plan()
    jump = {"exercise": "box-jump", "sets": 3, "reps": 5, "rir": 2, "rest_s": 120}
    body = {"edits": [{"op": "add", "day": named(plan)[0], "new": jump}]}
    response = user.send("PATCH", f"/v1/plans/{plan['plan_id']}", body, If_Match='"1"')
    assert response.status_code == 409
    assert "ruled out" in response.json["error"]["message"]


def test_bad_edits_name_their_field(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    path = f"/v1/plans/{plan['plan_id']}"
    day, lines = named(plan)
    line = {"exercise": lines[0]["exercise"], "sets": 3, "reps": 10, "rir": 2, "rest_s": 90}
    for changes, field in (
        ({"reps": -5}, "reps"),
        ({"reps": 1_000_000}, "reps"),
        ({"reps": "8"}, "reps"),
        ({"reps": True}, "reps"),
        ({"reps": 8.5}, "reps"),
        ({"reps": 2**63}, "reps"),
        ({"rir": -3}, "rir"),
        ({"rir": 99}, "rir"),
        ({"sets": 0}, "sets"),
        ({"rest_s": -1}, "rest_s"),
        ({"load_kg": 100}, "load_kg"),
        ({"exercise": "<b>Squat</b>"}, "exercise"),
        ({"exercise": "no-such-exercise"}, "exercise"),
    ):
        body = as_body(plan)
        body["days"][0]["exercises"] = [line | changes]
        response = user.send("PUT", path, body, If_Match='"1"')
        assert response.status_code == 400, (changes, response.json)
        assert response.json["error"]["fields"][0]["field"] == f"days.0.exercises.0.{field}"
    for body in ({"edits": []}, {"edits": [{"op": "fly", "day": day}]}, {"edits": [{"op": "move", "day": day}]}):
        assert user.send("PATCH", path, body, If_Match='"1"').status_code == 400
    assert user.get(path).json["revision"] == 1


def test_revisions_tell_the_history_and_can_be_had_again(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    path = f"/v1/plans/{plan['plan_id']}"
    user.send("PATCH", path, edits(plan), If_Match='"1"')
    told = user.get(f"{path}/revisions").json["revisions"]
    assert [(one["revision"], one["cause"]) for one in told] == [(2, "edited"), (1, "created")]
    (day,) = user.get(f"{path}/diff?from_revision=1&to_revision=2").json["diff"]["days"]
    assert day["exercises"][0]["numbers"][0]["field"] == "rir"
    assert user.get(f"{path}/revisions/1").json["plan"]["days"] == plan["days"]
    restored = user.post(f"{path}:restore", {"revision": 1}, If_Match='"2"')
    assert restored.json["plan"]["days"] == plan["days"]
    assert restored.json["plan"]["revision"] == 3
    assert user.post(f"{path}:restore", {"revision": 1}, If_Match='"3"').status_code == 409
    assert user.post(f"{path}:restore", {"revision": 9}, If_Match='"3"').status_code == 404
    assert user.get(f"{path}/revisions/9").status_code == 404


def test_a_revision_that_would_hurt_by_now_does_not_come_back(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    path = f"/v1/plans/{plan['plan_id']}"
    squat = {"exercise": "back-squat", "sets": 3, "reps": 8, "rir": 2, "rest_s": 120}
    body = as_body(plan)
    body["days"][0]["exercises"] = [
        squat,
        *[one for one in body["days"][0]["exercises"] if one["exercise"] != "back-squat"],
    ][:10]
    assert user.send("PUT", path, body, If_Match='"1"').status_code == 200
    gentle = {"edits": [{"op": "remove", "day": body["days"][0]["weekday"], "exercise": "back-squat"}]}
    assert user.send("PATCH", path, gentle, If_Match='"2"').status_code == 200
    frail = person(user_id=user.user_id, conditions=(HealthIssue(id="disc_herniation", severity="severe"),))
    plant.people.profiles[user.user_id] = frail
    assert user.post(f"{path}:restore", {"revision": 2}, If_Match='"3"').status_code == 409


def proposed(user: Asking, message: str = "Make it easier, it is too hard") -> tuple[dict, dict]:
    plan = user.plan()
    response = user.post(f"/v1/plans/{plan['plan_id']}:modify", {"message": message})
    assert response.status_code == 201, response.json
    return plan, response.json


def test_a_wish_becomes_edits_with_reasons_and_changes_nothing_yet(plant: Plant) -> None:
    user = plant.user()
    plan, proposal = proposed(user)
    assert proposal["status"] == "open"
    assert proposal["edits"]
    assert all(edit["why"] and edit["text"] and edit["decision"] == "pending" for edit in proposal["edits"])
    assert user.get("/v1/plans/current").json == plan
    assert user.get(f"/v1/plans/{plan['plan_id']}/proposals").json["proposals"] == [proposal]
    assert user.get(f"/v1/plans/proposals/{proposal['proposal_id']}").json == proposal


def test_a_proposal_is_taken_whole(plant: Plant) -> None:
    user = plant.user()
    plan, proposal = proposed(user)
    path = f"/v1/plans/proposals/{proposal['proposal_id']}:decide"
    decided = user.post(path, {"all": "accept"}).json
    assert decided["proposal"]["status"] == "decided"
    assert decided["plan"]["revision"] == 2
    assert decided["plan"]["writer"]["kind"] == "rule_based"
    assert decided["plan"]["explanation"] == proposal["explanation"]
    assert user.get("/v1/plans/current").json == decided["plan"] != plan
    assert user.post(path, {"all": "accept"}).status_code == 409


def test_a_proposal_is_decided_edit_by_edit(plant: Plant) -> None:
    user = plant.user()
    _plan, proposal = proposed(user)
    path = f"/v1/plans/proposals/{proposal['proposal_id']}:decide"
    first = user.post(path, {"accept": [0]}).json
    assert first["proposal"]["status"] == "open"
    assert first["plan"]["revision"] == 2
    rest = list(range(1, len(proposal["edits"])))
    last = user.post(path, {"reject": rest}).json
    assert last["proposal"]["status"] == "decided"
    assert last["plan"]["revision"] == 2
    assert {edit["decision"] for edit in last["proposal"]["edits"][1:]} == {"rejected"}
    for wrong, status in (({}, 409), ({"accept": [99]}, 409)):
        assert user.post(path, wrong).status_code == status


def test_a_proposal_that_is_left_changes_nothing(plant: Plant) -> None:
    user = plant.user()
    plan, proposal = proposed(user)
    user.post(f"/v1/plans/proposals/{proposal['proposal_id']}:decide", {"all": "reject"})
    assert user.get("/v1/plans/current").json == plan


def test_a_proposal_that_is_taken_twice_at_once_is_taken_once(plant: Plant) -> None:
    user = plant.user()
    _, proposal = proposed(user)
    path = f"/v1/plans/proposals/{proposal['proposal_id']}:decide"
    statuses = in_threads(6, lambda _: Asking(plant, user.user_id).post(path, {"all": "accept"}).status_code)
    assert sorted(statuses) == [200, 409, 409, 409, 409, 409]
    assert user.get("/v1/plans/current").json["revision"] == 2


def test_accepting_and_editing_at_once_loses_neither(plant: Plant) -> None:
    user = plant.user()
    plan, proposal = proposed(user)
    path = f"/v1/plans/proposals/{proposal['proposal_id']}:decide"

    def race(number: int) -> int:
        own = Asking(plant, user.user_id)
        if number:
            return own.post(path, {"all": "accept"}).status_code
        return own.send("PATCH", f"/v1/plans/{plan['plan_id']}", edits(plan, 5), If_Match='"1"').status_code

    statuses = in_threads(2, race)
    revisions = user.get(f"/v1/plans/{plan['plan_id']}/revisions").json["revisions"]
    assert len(revisions) == 1 + statuses.count(200)
    assert set(statuses) <= {200, 409, 412}


def test_a_warning_sign_in_a_wish_is_answered_before_anything_else(plant: Plant) -> None:
    user = plant.user()
    _, proposal = proposed(user, "Make it harder. By the way I have chest pain and can't breathe")
    assert proposal["escalation"] == "emergency"
    assert proposal["edits"] == []
    assert proposal["status"] == "decided"
    assert proposal["writer"]["kind"] == "triage"


def test_nothing_of_anybody_elses_can_be_had_or_changed(plant: Plant) -> None:
    owner, other = plant.user(), plant.user()
    plan, proposal = proposed(owner)
    job = owner.post("/v1/plans", {}).json
    plan_path = f"/v1/plans/{plan['plan_id']}"
    proposal_path = f"/v1/plans/proposals/{proposal['proposal_id']}"
    attempts = [
        ("GET", plan_path, None),
        ("PUT", plan_path, as_body(plan)),
        ("PATCH", plan_path, edits(plan)),
        ("POST", f"{plan_path}:activate", None),
        ("POST", f"{plan_path}:archive", None),
        ("POST", f"{plan_path}:modify", {"message": "harder"}),
        ("POST", f"{plan_path}:restore", {"revision": 1}),
        ("GET", f"{plan_path}/revisions", None),
        ("GET", f"{plan_path}/revisions/1", None),
        ("GET", f"{plan_path}/diff?from_revision=1&to_revision=1", None),
        ("GET", f"{plan_path}/proposals", None),
        ("GET", proposal_path, None),
        ("POST", f"{proposal_path}:decide", {"all": "accept"}),
        ("GET", f"/v1/plans/jobs/{job['job_id']}", None),
        ("GET", "/v1/plans/current", None),
    ]
    for method, path, body in attempts:
        response = other.send(method, path, body, If_Match='"1"')
        assert response.status_code == 404, (method, path, response.json)
        unknown = path.replace(plan["plan_id"], str(uuid4())).replace(proposal["proposal_id"], str(uuid4()))
        assert owner.send(method, unknown, body, If_Match='"1"').status_code == 404 or path.endswith(
            ("current", job["job_id"])
        )
    assert other.get("/v1/plans").json["plans"] == []
    assert other.get("/v1/plans/jobs").json["jobs"] == []
    assert owner.get(plan_path).json == plan


@pytest.mark.parametrize("path", ["/v1/plans/current", "/v1/plans", f"/v1/plans/{UUID(int=1)}", "/v1/plans/jobs"])
def test_nobody_gets_anything_without_a_token(plant: Plant, path: str) -> None:
    client = plant.app.test_client()
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_ids_that_are_none_are_not_found(plant: Plant) -> None:
    user = plant.user()
    for path in ("/v1/plans/1", "/v1/plans/..", "/v1/plans/proposals/x", f"/v1/plans/{uuid4()}/revisions/-1"):
        assert user.get(path).status_code == 404


def test_an_archived_plan_is_not_changed_by_wishes(plant: Plant) -> None:
    user = plant.user()
    plan = user.plan()
    user.post(f"/v1/plans/{plan['plan_id']}:archive")
    assert user.post(f"/v1/plans/{plan['plan_id']}:modify", {"message": "harder"}).status_code == 409
