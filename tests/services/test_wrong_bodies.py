"""Wrong input: what the earlier system stored, or broke at, is a 4xx here that names the field."""

from typing import Any

import pytest

from tests.services.rig import ONBOARDING, PASSWORD, Person, Rig, new_set

HUGE = "9" * 400
FAR = "2099-01-01"

SETS: list[tuple[str, Any]] = [
    ("reps", -5),
    ("reps", 1_000_000),
    ("reps", "8"),
    ("reps", True),
    ("reps", 2**63),
    ("reps", 5.5),
    ("reps", None),
    ("load_kg", 1e9),
    ("load_kg", -50),
    ("load_kg", "nan"),
    ("load_kg", "100"),
    ("rir", -3),
    ("rir", 99),
    ("number", 0),
    ("number", 10**9),
    ("is_warmup", 1),
    ("completed_at", f"{FAR}T00:00:00Z"),
    ("completed_at", "2026-01-01T00:00:00"),
    ("completed_at", "0001-01-01T00:00:00Z"),
    ("entry_id", "not an id"),
    ("weight", 100),
]
DAYS: list[tuple[str, Any]] = [
    ("sleep_h", -1),
    ("sleep_h", 25),
    ("sleep_h", "8"),
    ("kcal", -1),
    ("kcal", 10**9),
    ("kcal", 2000.5),
    ("weight_kg", 0),
    ("weight_kg", 1000),
    ("body_fat_pct", -20),
    ("body_fat_pct", 500),
    ("steps", 1),
]
PROFILES: list[tuple[str, Any]] = [
    ("sex", "dragon"),
    ("activity_level", "junk"),
    ("experience", ""),
    ("goals", []),
    ("goals", ["x" * 10_000]),
    ("goals", ["strength"] * 5),
    ("maintenance_kcal", -100),
    ("maintenance_kcal", 10**9),
    ("sleep_target_h", 100),
    ("days_per_week", -1),
    ("days_per_week", 0),
    ("days_per_week", 100),
    ("height_cm", 20),
    ("weight_kg", "70"),
    ("age", 17),
    ("age", 101),
    ("allergies", ["x"] * 200),
    ("allergies", ["\x00"]),
    ("conditions", [{"id": "hypertension", "severity": "awful"}]),
    ("medications", [{"id": "beta_blocker", "dose": "1", "since": "2026-02-01", "until": "2026-01-01"}]),
    ("nickname", "x"),
]
SIGN_UPS: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "x" * 10_000),
    ("name", "a\x00b"),
    ("name", " padded "),
    ("email", "nobody"),
    ("email", "a@b"),
    ("email", "a b@example.com"),
    ("email", "a\x00@example.com"),
    ("password", "short"),
    ("password", "      " * 3),
    ("password", "x" * 5_000),
    ("role", "admin"),
]
TARGETS: list[tuple[str, Any]] = [
    ("value", -1),
    ("value", 10**9),
    ("value", "2000"),
    ("method", "m" * 500),
    ("effective_from", "yesterday"),
    ("effective_to", "2026-01-01"),
]
BODIES = [b"", b"[]", b"null", b'"text"', b"{", b"\xff\xfe{}", b"[" * 30_000, b'{"name": "\\ud800"}']


def refused(answer: Any, field: str) -> None:
    assert answer.status_code == 400, (field, answer.status_code, answer.text[:300])
    fields = [one["field"].partition(".")[0] for one in answer.json["error"]["fields"]]
    assert field in fields


@pytest.fixture(scope="module")
def someone(module_rig: Rig) -> Person:
    return module_rig.person()


@pytest.fixture(scope="module")
def workout(someone: Person) -> tuple[str, str]:
    return someone.workout()


@pytest.mark.parametrize(("field", "value"), SETS, ids=str)
def test_a_set_is_refused_for_its_wrong_field(
    someone: Person, workout: tuple[str, str], field: str, value: object
) -> None:
    workout_id, entry_id = workout
    refused(someone.ask("POST", f"/v1/workouts/{workout_id}/sets", new_set(entry_id) | {field: value}), field)
    assert someone.get("/v1/dashboard")["weeks"][-1]["sets"] == 0


@pytest.mark.parametrize("number", ["1e400", "NaN", "Infinity", "-Infinity", HUGE])
def test_a_number_that_is_none_is_refused_and_breaks_nothing_later(
    someone: Person, workout: tuple[str, str], number: str
) -> None:
    workout_id, entry_id = workout
    text = f'{{"entry_id": "{entry_id}", "number": 1, "reps": 5, "load_kg": {number}}}'
    path = f"/v1/workouts/{workout_id}/sets"
    headers = {"Authorization": f"Bearer {someone.session['access_token']}", "Content-Type": "application/json"}
    answer = someone.rig.logging.test_client().post(path, data=text, headers=headers)
    assert answer.status_code == 400, answer.text
    assert someone.ask("GET", "/v1/workouts").status_code == 200
    assert someone.ask("GET", "/v1/dashboard").status_code == 200


@pytest.mark.parametrize(("field", "value"), DAYS, ids=str)
def test_a_day_is_refused_for_its_wrong_field(someone: Person, field: str, value: object) -> None:
    refused(someone.ask("PATCH", "/v1/daily/2026-03-01", {field: value}), field)


@pytest.mark.parametrize("day", [FAR, "0001-01-01", "1999-12-31", "2026-02-30"])
def test_a_day_that_cannot_be_is_refused(someone: Person, day: str) -> None:
    refused(someone.ask("PATCH", f"/v1/daily/{day}", {"sleep_h": 8}), "day")


@pytest.mark.parametrize(("field", "value"), PROFILES, ids=lambda value: str(value)[:30])
def test_a_profile_is_refused_for_its_wrong_field(someone: Person, field: str, value: object) -> None:
    refused(someone.ask("PUT", "/v1/profile", ONBOARDING | {field: value}), field)


@pytest.mark.parametrize(("field", "value"), SIGN_UPS, ids=lambda value: str(value)[:30])
def test_an_account_is_refused_for_its_wrong_field(module_rig: Rig, field: str, value: object) -> None:
    body = {"name": "A", "email": "new@example.com", "password": PASSWORD} | {field: value}
    answer = module_rig.ask("POST", "/v1/auth/signup", body)
    refused(answer, field)
    assert str(value) not in answer.text or len(str(value)) < 8


@pytest.mark.parametrize(("field", "value"), TARGETS, ids=lambda value: str(value)[:30])
def test_a_target_is_refused_for_its_wrong_field(someone: Person, field: str, value: object) -> None:
    refused(someone.ask("POST", "/v1/targets/calories", {"value": 2000} | {field: value}), field)


def test_a_target_does_not_end_before_it_begins(someone: Person) -> None:
    made = someone.made("/v1/targets/weight", {"value": 70, "effective_from": "2026-03-01"})
    path = f"/v1/targets/{made['target_id']}"
    refused(someone.ask("PATCH", path, {"effective_to": "2026-02-01"}, If_Match='"1"'), "effective_to")


def test_an_exercise_that_is_not_in_the_catalogue_is_refused(someone: Person, workout: tuple[str, str]) -> None:
    body = {"exercise": "no-such-thing", "position": 3}
    refused(someone.ask("POST", f"/v1/workouts/{workout[0]}/exercises", body), "exercise")


@pytest.mark.parametrize("data", BODIES, ids=lambda data: repr(data[:12]))
def test_a_body_that_is_no_object_is_refused(module_rig: Rig, data: bytes) -> None:
    client = module_rig.profile.test_client()
    answer = client.post("/v1/auth/signup", data=data, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json["error"]["code"] == "invalid_fields"


@pytest.mark.parametrize("path", ["/v1/auth/signup", "/v1/auth/login", "/v1/workouts"])
def test_a_body_of_megabytes_is_refused_before_it_is_read(someone: Person, path: str) -> None:
    answer = someone.ask("POST", path, {"notes": "x" * 5_000_000})
    assert answer.status_code == 413
    assert answer.json["error"]["code"] == "too_large"


def test_a_body_of_another_kind_is_refused(module_rig: Rig) -> None:
    answer = module_rig.profile.test_client().post("/v1/auth/signup", data="a=b")
    assert answer.status_code in (400, 415)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1000", "limit"),
        ("limit=x", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=" + "A" * 500, "cursor"),
        ("since=2026-02-30", "since"),
        ("unknown=1", "unknown"),
    ],
)
def test_a_query_is_refused_for_its_wrong_value(someone: Person, query: str, field: str) -> None:
    refused(someone.ask("GET", f"/v1/workouts?{query}"), field)


@pytest.mark.parametrize("etag", ['"x"', "1", "*", '"1", "2"', '"' + "9" * 30 + '"'])
def test_a_version_that_is_none_is_refused(someone: Person, workout: tuple[str, str], etag: str) -> None:
    answer = someone.ask("PATCH", f"/v1/workouts/{workout[0]}", {"notes": "x"}, If_Match=etag)
    refused(answer, "If-Match")


@pytest.mark.parametrize("key", ["", "with space", "x" * 129])
def test_an_idempotency_key_that_is_none_is_refused(someone: Person, key: str) -> None:
    refused(someone.ask("POST", "/v1/workouts", {}, Idempotency_Key=key), "Idempotency-Key")


@pytest.mark.parametrize(
    "path", ["/v1/workouts/1", "/v1/workouts/%00", "/v1/daily/tomorrow", "/v1/nothing", "/v1/../x"]
)
def test_a_path_that_is_none_is_404_with_the_same_body(someone: Person, path: str) -> None:
    answer = someone.ask("GET", path)
    assert answer.status_code == 404
    assert set(answer.json["error"]) == {"code", "message", "request_id"}
