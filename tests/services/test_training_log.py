"""The logging service on a real Postgres: what is logged is shown, summed, changed and taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.postgres import Server
from tests.services.rig import Person, Rig, new_set

TODAY = datetime.now(UTC).date()


def sums(person: Person) -> dict[str, Any]:
    shown = person.get("/v1/dashboard")
    return {
        "weeks": shown["weeks"],
        "muscles": {one["muscle"]: one["sets"] for one in shown["muscles"]},
    }


def test_a_workout_is_shown_with_its_exercises_and_sets_in_order(ann: Person) -> None:
    workout_id, entry_id = ann.workout(sets=2)
    shown = ann.get(f"/v1/workouts/{workout_id}")
    assert [one["exercise"] for one in shown["exercises"]] == ["back-squat"]
    assert [one["number"] for one in shown["exercises"][0]["sets"]] == [1, 2]
    assert shown["exercises"][0]["entry_id"] == entry_id
    assert shown["ended_at"] is None


def test_what_a_post_answers_is_what_is_read_back(ann: Person) -> None:
    workout_id, entry_id = ann.workout()
    made = ann.made(f"/v1/workouts/{workout_id}/sets", new_set(entry_id, load_kg=82.255, is_warmup=True))
    (shown,) = ann.get(f"/v1/workouts/{workout_id}")["exercises"][0]["sets"]
    made["completed_at"], shown["completed_at"] = map(
        datetime.fromisoformat, (made["completed_at"], shown["completed_at"])
    )
    assert abs(made.pop("completed_at") - shown.pop("completed_at")) < timedelta(milliseconds=1)
    assert shown == made


def test_the_same_set_number_twice_is_a_conflict(ann: Person) -> None:
    workout_id, entry_id = ann.workout(sets=1)
    again = ann.ask("POST", f"/v1/workouts/{workout_id}/sets", new_set(entry_id, 1))
    assert again.status_code == 409


def test_finishing_twice_changes_nothing(ann: Person) -> None:
    workout_id, _ = ann.workout()
    first = ann.ask("POST", f"/v1/workouts/{workout_id}/finish", {})
    second = ann.ask("POST", f"/v1/workouts/{workout_id}/finish", {})
    assert first.status_code == second.status_code == 200
    assert first.json["ended_at"] is not None
    assert first.json == second.json


def test_a_workout_does_not_end_before_it_begins(ann: Person) -> None:
    workout_id, _ = ann.workout()
    answer = ann.ask("POST", f"/v1/workouts/{workout_id}/finish", {"ended_at": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 400
    assert answer.json["error"]["fields"][0]["field"] == "ended_at"


def test_a_change_made_for_an_older_version_is_refused(ann: Person) -> None:
    workout_id, _ = ann.workout()
    path = f"/v1/workouts/{workout_id}"
    etag = ann.ask("GET", path).headers["ETag"]
    assert ann.ask("PATCH", path, {"notes": "one"}, If_Match=etag).status_code == 200
    assert ann.ask("PATCH", path, {"notes": "two"}, If_Match=etag).status_code == 412
    assert ann.ask("PATCH", path, {"notes": "two"}).status_code == 428
    assert ann.get(path)["notes"] == "one"


def test_sums_follow_sets_that_are_added_changed_and_deleted(ann: Person) -> None:
    workout_id, entry_id = ann.workout()
    nothing = sums(ann)["muscles"]
    path = f"/v1/workouts/{workout_id}/sets"
    one = ann.made(path, new_set(entry_id, 1, load_kg=80, reps=5))
    two = ann.made(path, new_set(entry_id, 2, load_kg=100, reps=3))
    ann.made(path, new_set(entry_id, 3, load_kg=40, reps=10, is_warmup=True))
    assert nothing == {}
    assert (sums(ann)["weeks"][-1]["sets"], sums(ann)["weeks"][-1]["volume_kg"]) == (2, 700)
    assert sums(ann)["muscles"]["quads"] == 2
    assert sums(ann)["muscles"]["hamstrings"] == 1
    changed = ann.ask("PATCH", f"{path}/{two['set_id']}", {"reps": 4}, If_Match='"1"')
    assert changed.status_code == 200, changed.text
    assert sums(ann)["weeks"][-1]["volume_kg"] == 800
    assert ann.ask("DELETE", f"{path}/{one['set_id']}").status_code == 204
    assert (sums(ann)["weeks"][-1]["sets"], sums(ann)["weeks"][-1]["volume_kg"]) == (1, 400)


@pytest.mark.parametrize("gone", ["exercise", "workout"])
def test_sums_follow_sets_that_go_with_their_exercise_or_workout(rig: Rig, ann: Person, gone: str) -> None:
    kept_workout, _ = ann.workout(sets=1)
    workout_id, entry_id = ann.workout(sets=3)
    path = f"/v1/workouts/{workout_id}"
    assert sums(ann)["weeks"][-1]["sets"] == 4
    assert ann.ask("DELETE", f"{path}/exercises/{entry_id}" if gone == "exercise" else path).status_code == 204
    last = sums(ann)["weeks"][-1]
    assert (last["sets"], last["volume_kg"]) == (1, 400)
    assert last["workouts"] == (2 if gone == "exercise" else 1)
    assert sums(ann)["muscles"]["quads"] == 1
    assert kept_workout in [one["workout_id"] for one in ann.get("/v1/workouts")["workouts"]]


def test_sums_are_those_of_the_sets_whatever_was_done(server: Any, database_name: str, ann: Person) -> None:
    made = [ann.workout(sets=3, exercise=exercise) for exercise in ("back-squat", "push-up", "back-squat")]
    ann.ask("DELETE", f"/v1/workouts/{made[0][0]}")
    rows = server.sql(
        "SELECT w.sets, w.volume_kg, w.rir_total, s.n, s.v, s.r FROM logging.weeks w, "
        "(SELECT count(*) n, sum(reps * load_kg) v, sum(rir) r FROM logging.sets WHERE NOT is_warmup) s",
        database_name,
    )
    assert rows[0][:3] == rows[0][3:]
    best = server.sql(
        "SELECT w.exercise, w.best_e1rm_kg, (SELECT max(s.e1rm_kg) FROM logging.sets s JOIN logging.exercises e "
        "USING (entry_id) WHERE e.exercise = w.exercise) FROM logging.week_lifts w WHERE w.sets > 0",
        database_name,
    )
    assert best
    assert all(kept == real for _, kept, real in best)


def test_the_day_of_a_workout_is_that_of_the_place_where_it_was(ann: Person) -> None:
    made = ann.made("/v1/workouts", {"started_at": "2026-03-02T23:30:00-05:00"})
    assert made["day"] == "2026-03-02"
    assert ann.get(f"/v1/workouts/{made['workout_id']}")["started_at"].startswith("2026-03-03T04:30:00")


def test_a_workout_that_began_at_another_time_takes_its_sums_along(
    server: Server, database_name: str, ann: Person
) -> None:
    workout_id = ann.made("/v1/workouts", {"started_at": "2026-03-02T18:00:00Z"})["workout_id"]
    other = ann.made("/v1/workouts", {"started_at": "2026-03-03T18:00:00Z"})["workout_id"]
    for one, load in ((workout_id, 100), (other, 80)):
        entry = ann.made(f"/v1/workouts/{one}/exercises", {"exercise": "back-squat", "position": 1})["entry_id"]
        ann.made(f"/v1/workouts/{one}/sets", new_set(entry, 1, load_kg=load))
        ann.made(f"/v1/workouts/{one}/sets", new_set(entry, 2, load_kg=load, is_warmup=True))
    path = f"/v1/workouts/{workout_id}"
    moved = ann.ask("PATCH", path, {"started_at": "2026-02-22T22:00:00-05:00"}, If_Match='"1"')
    assert (moved.status_code, moved.json["day"], moved.json["version"]) == (200, "2026-02-22", 2)
    assert moved.json["started_at"].startswith("2026-02-23T03:00:00")
    weeks = "SELECT week::text, workouts, sets, volume_kg::int, rir_total FROM logging.weeks WHERE sets > 0 ORDER BY 1"
    assert server.sql(weeks, database_name) == [["2026-02-16", 1, 1, 500, 2], ["2026-03-02", 1, 1, 400, 2]]
    lifts = "SELECT week::text, sets, best_e1rm_kg::int FROM logging.week_lifts WHERE sets > 0 ORDER BY 1"
    assert server.sql(lifts, database_name) == [["2026-02-16", 1, 123], ["2026-03-02", 1, 99]]
    ann.ask("DELETE", path)
    assert server.sql(weeks, database_name) == [["2026-03-02", 1, 1, 400, 2]]


def test_a_workout_does_not_begin_after_its_end(ann: Person) -> None:
    path = f"/v1/workouts/{ann.made('/v1/workouts', {'started_at': '2026-03-02T18:00:00Z'})['workout_id']}"
    ann.ask("POST", f"{path}/finish", {"ended_at": "2026-03-02T19:00:00Z"})
    for began in ("2026-03-02T19:30:00Z", "2026-03-01T18:00:00Z"):
        refused = ann.ask("PATCH", path, {"started_at": began}, If_Match='"2"')
        assert (refused.status_code, [one["field"] for one in refused.json["error"]["fields"]]) == (400, ["started_at"])
    assert ann.ask("PATCH", path, {"started_at": "2026-03-02T18:30:00Z"}, If_Match='"2"').status_code == 200


def test_history_comes_in_pages_that_lose_and_repeat_nothing(ann: Person) -> None:
    days = [TODAY - timedelta(days=back // 2) for back in range(7)]
    wanted = {
        ann.made("/v1/workouts", {"started_at": f"{day}T08:00:00Z"})["workout_id"]: day.isoformat() for day in days
    }
    seen: dict[str, str] = {}
    path = "/v1/workouts?limit=3"
    for _ in range(3):
        page = ann.get(path)
        seen |= {one["workout_id"]: one["day"] for one in page["workouts"]}
        path = f"/v1/workouts?limit=3&cursor={page['next']}"
    assert page["next"] is None
    assert seen == wanted
    assert list(seen.values()) == sorted(seen.values(), reverse=True)
    ranged = ann.get(f"/v1/workouts?since={days[2]}&until={days[2]}")
    assert {one["day"] for one in ranged["workouts"]} == {days[2].isoformat()}


def test_a_day_keeps_what_is_not_given(ann: Person) -> None:
    path = f"/v1/daily/{TODAY}"
    assert ann.ask("PATCH", path, {"sleep_h": 7.5}).status_code == 200
    logged = ann.ask("PATCH", path, {"kcal": 2100, "weight_kg": 66.2}).json
    assert (logged["sleep_h"], logged["kcal"], logged["weight_kg"], logged["version"]) == (7.5, 2100, 66.2, 2)
    assert ann.get("/v1/daily")["days"] == [logged]
    assert ann.ask("DELETE", path).status_code == 204
    assert ann.ask("GET", path).status_code == 404


def test_a_new_target_ends_the_active_one_of_its_kind(ann: Person) -> None:
    ann.made("/v1/targets/calories", {"value": 2200, "effective_from": "2026-01-01"})
    ann.made("/v1/targets/sleep", {"value": 8})
    ann.made("/v1/targets/calories", {"value": 2000, "effective_from": "2026-02-01", "method": "ai"})
    found = [(one["kind"], one["value"], one["effective_to"]) for one in ann.get("/v1/targets")["targets"]]
    assert found == [("calories", 2000, None), ("calories", 2200, "2026-02-01"), ("sleep", 8, None)]
    assert ann.get("/v1/dashboard")["targets"] == {"calories": 2000, "sleep": 8}


def test_the_dashboard_of_a_new_user_has_nothing_in_it(ann: Person) -> None:
    shown = ann.get("/v1/dashboard")
    assert shown["weeks"] == shown["muscles"] == shown["lifts"] == []
    assert shown["averages"] == {"sleep_h": None, "kcal": None, "weight_kg": None, "weight_change_kg": None}
    assert (shown["streak_weeks"], shown["adherence_pct"]) == (0, None)


def test_the_dashboard_counts_streak_adherence_and_trends(ann: Person) -> None:
    monday = TODAY - timedelta(days=TODAY.weekday())
    ann.made("/v1/targets/sessions", {"value": 2})
    for back in range(1, 5):
        day = monday - timedelta(weeks=back)
        workout_id = ann.made("/v1/workouts", {"started_at": f"{day}T08:00:00Z"})["workout_id"]
        entry = ann.made(f"/v1/workouts/{workout_id}/exercises", {"exercise": "back-squat", "position": 1})
        ann.made(f"/v1/workouts/{workout_id}/sets", new_set(entry["entry_id"], load_kg=100 - 5 * back))
    shown = ann.get("/v1/dashboard")
    assert shown["streak_weeks"] == 4
    assert shown["adherence_pct"] == 50
    assert [(one["exercise"], one["trend"]) for one in shown["lifts"]] == [("back-squat", "improving")]


def test_a_retried_post_with_one_key_happens_once(ann: Person) -> None:
    workout_id, entry_id = ann.workout()
    path = f"/v1/workouts/{workout_id}/sets"
    first = ann.ask("POST", path, new_set(entry_id), Idempotency_Key="one")
    again = ann.ask("POST", path, new_set(entry_id), Idempotency_Key="one")
    other = ann.ask("POST", path, new_set(entry_id, 2), Idempotency_Key="one")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.json == first.json
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(ann.get(f"/v1/workouts/{workout_id}")["exercises"][0]["sets"]) == 1


def test_a_workout_is_finished_once_under_a_key_and_its_answer_stays_the_same(ann: Person) -> None:
    path = f"/v1/workouts/{ann.made('/v1/workouts', {'started_at': '2026-03-02T18:00:00Z'})['workout_id']}"
    ended = {"ended_at": "2026-03-02T19:00:00Z"}
    first = ann.ask("POST", f"{path}/finish", ended, Idempotency_Key="end")
    ann.ask("PATCH", path, {"notes": "felt good"}, If_Match='"2"')
    again = ann.ask("POST", f"{path}/finish", ended, Idempotency_Key="end")
    assert (again.status_code, again.json, again.headers["ETag"]) == (200, first.json, first.headers["ETag"])
    assert again.headers["Idempotent-Replay"] == "true"
    later = {"ended_at": "2026-03-02T20:00:00Z"}
    assert ann.ask("POST", f"{path}/finish", later, Idempotency_Key="end").status_code == 409
    unchanged = ann.ask("POST", f"{path}/finish", later, Idempotency_Key="other")
    assert unchanged.json["ended_at"] == first.json["ended_at"]
    assert ann.ask("POST", f"{path}/finish", {}, Idempotency_Key="other").status_code == 409


def test_a_refused_post_leaves_no_receipt(ann: Person) -> None:
    workout_id, entry_id = ann.workout(sets=1)
    path = f"/v1/workouts/{workout_id}/sets"
    assert ann.ask("POST", path, new_set(entry_id, 1), Idempotency_Key="k").status_code == 409
    assert ann.ask("POST", path, new_set(entry_id, 2), Idempotency_Key="k").status_code == 201


def test_a_service_gets_a_summary_of_somebodys_log(rig: Rig, ann: Person) -> None:
    path = f"/internal/users/{ann.user_id}/summary"
    assert rig.service("GET", path).status_code == 404
    ann.workout(sets=3)
    ann.ask("PATCH", f"/v1/daily/{TODAY}", {"sleep_h": 7, "kcal": 2000})
    got = rig.service("GET", f"{path}?planned=3").json
    assert (got["weeks"], got["planned_sessions"], got["done_sessions"]) == (1, 3, 1)
    assert (got["sets_per_week"], got["avg_rir"], got["avg_sleep_h"], got["avg_kcal"]) == (3, 2, 7, 2000)
    assert got["rir_trend"] is None
    assert ann.ask("GET", path).status_code == 401


def test_a_summary_says_where_effort_is_going(rig: Rig, ann: Person) -> None:
    for weeks_ago, rir in ((2, 4), (1, 3), (0, 1)):
        began = f"{TODAY - timedelta(weeks=weeks_ago)}T08:00:00Z"
        workout_id = ann.made("/v1/workouts", {"started_at": began})["workout_id"]
        entry = ann.made(f"/v1/workouts/{workout_id}/exercises", {"exercise": "back-squat", "position": 1})
        ann.made(f"/v1/workouts/{workout_id}/sets", new_set(entry["entry_id"], rir=rir))
    got = rig.service("GET", f"/internal/users/{ann.user_id}/summary").json
    assert got["rir_trend"] == {"first": 4.0, "last": 1.0}


def test_receipts_are_kept_for_two_days(server: Server, database_name: str, rig: Rig, ann: Person) -> None:
    first = ann.made("/v1/workouts", Idempotency_Key="old")
    ann.made("/v1/workouts", Idempotency_Key="new")
    server.sql("UPDATE logging.receipts SET created_at = now() - interval '3 days' WHERE key = 'old'", database_name)
    rig.log_deps.workouts._receipts.forget_old()
    assert server.sql("SELECT key FROM logging.receipts", database_name) == [["new"]]
    assert ann.made("/v1/workouts", Idempotency_Key="old")["workout_id"] != first["workout_id"]


def test_a_workout_names_a_plan_of_its_own_user_or_none(
    server: Server, database_name: str, ann: Person, bob: Person
) -> None:
    plan_id = str(uuid4())
    server.sql(
        "INSERT INTO plan.plans (plan_id, user_id, status, revision, name, goal, document, created_at, updated_at) "
        f"VALUES ('{plan_id}', '{ann.user_id}', 'active', 1, 'p', 'strength', '{{}}', now(), now())",
        database_name,
    )
    assert ann.made("/v1/workouts", {"plan_id": plan_id})["plan_id"] == plan_id
    assert bob.ask("POST", "/v1/workouts", {"plan_id": plan_id}).status_code == 404
    assert ann.ask("POST", "/v1/workouts", {"plan_id": str(uuid4())}).status_code == 404
