"""The profile service on a real Postgres: accounts, sessions, profiles, and leaving."""

import jwt
import pytest

from services.profile import throttle
from services.profile.throttle import wait_after
from tests.postgres import Server
from tests.services.rig import ONBOARDING, PASSWORD, Person, Rig, new_set


def log_in(rig: Rig, person: Person, password: str = PASSWORD, email: str | None = None):
    return rig.ask("POST", "/v1/auth/login", {"email": email or person.email, "password": password})


def refresh(rig: Rig, token: str):
    return rig.ask("POST", "/v1/auth/refresh", {"refresh_token": token})


def test_somebody_signs_up_and_is_who_they_are(ann: Person) -> None:
    me = ann.get("/v1/me")
    assert (me["name"], me["email"], me["needs_onboarding"]) == ("Ann", ann.email, True)


def test_an_e_mail_has_one_account_however_it_is_written(rig: Rig, ann: Person) -> None:
    again = rig.ask("POST", "/v1/auth/signup", {"name": "A", "email": ann.email.upper(), "password": PASSWORD})
    assert again.status_code == 409
    assert log_in(rig, ann, email=ann.email.upper()).status_code == 200


def test_a_sign_up_whose_answer_was_lost_is_sent_again_under_its_key(
    server: Server, database_name: str, rig: Rig
) -> None:
    body = {"name": "Ann", "email": "ann@example.com", "password": PASSWORD}
    key = {"Idempotency-Key": "once"}
    first = rig.ask("POST", "/v1/auth/signup", body, key)
    again = rig.ask("POST", "/v1/auth/signup", body, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json["user_id"] == first.json["user_id"]
    assert again.json["needs_onboarding"]
    for answer in (first, again):
        assert refresh(rig, answer.json["refresh_token"]).status_code == 200
    for other in (body | {"password": "not it at all"}, body | {"name": "Bob"}):
        assert rig.ask("POST", "/v1/auth/signup", other, key).status_code == 409
    assert rig.ask("POST", "/v1/auth/signup", body, {"Idempotency-Key": "other"}).status_code == 409
    assert rig.ask("POST", "/v1/auth/signup", body).status_code == 409
    ((kept,),) = server.sql("SELECT to_jsonb(r)::text FROM profile.receipts r", database_name)
    assert first.json["refresh_token"] not in kept
    assert first.json["access_token"] not in kept


@pytest.mark.usefixtures("long_waits")
def test_passwords_are_not_guessed_by_signing_up_again(rig: Rig) -> None:
    body = {"name": "Ann", "email": "ann@example.com", "password": PASSWORD}
    key = {"Idempotency-Key": "once"}
    rig.ask("POST", "/v1/auth/signup", body, key)
    wrong = [
        rig.ask("POST", "/v1/auth/signup", body | {"password": f"guess number {n}"}, key).status_code for n in range(6)
    ]
    assert wrong == [409] * 5 + [429]
    assert rig.ask("POST", "/v1/auth/signup", body, key).status_code == 429


@pytest.mark.parametrize("path", ["login", "refresh", "logout"])
def test_a_key_where_nothing_is_kept_is_held_to_its_form(
    server: Server, database_name: str, rig: Rig, ann: Person, path: str
) -> None:
    bodies = {"login": {"email": ann.email, "password": PASSWORD}}
    body = bodies.get(path, {"refresh_token": ann.session["refresh_token"]})
    refused = rig.ask("POST", f"/v1/auth/{path}", body, {"Idempotency-Key": "two words"})
    assert (refused.status_code, refused.json["error"]["fields"][0]["field"]) == (400, "Idempotency-Key")
    assert rig.ask("POST", f"/v1/auth/{path}", body, {"Idempotency-Key": "once"}).status_code in (200, 204)
    assert server.sql("SELECT count(*) FROM profile.receipts", database_name) == [[0]]


@pytest.mark.parametrize("wrong", ["password", "email"])
def test_a_wrong_login_does_not_say_what_is_wrong(rig: Rig, ann: Person, wrong: str) -> None:
    answer = log_in(rig, ann, "not it at all") if wrong == "password" else log_in(rig, ann, email="x@y.example")
    assert answer.status_code == 401
    assert answer.json["error"]["message"] == "the e-mail or the password is wrong"


@pytest.fixture
def long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make waits a hundred times as long, so that no busy machine outwaits them."""
    monkeypatch.setattr(throttle, "wait_after", lambda failures, free: 100 * wait_after(failures, free))


@pytest.mark.usefixtures("long_waits")
def test_after_some_wrong_passwords_even_the_right_one_has_to_wait(rig: Rig, ann: Person, bob: Person) -> None:
    answers = [log_in(rig, ann, "wrong password").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    right = log_in(rig, ann)
    assert right.status_code == 429
    assert int(right.headers["Retry-After"]) >= 1
    assert log_in(rig, bob).status_code == 200


def test_wrong_passwords_are_counted_over_all_instances(
    server: Server, database_name: str, rig: Rig, ann: Person
) -> None:
    for _ in range(5):
        log_in(rig, ann, "wrong password")
    failures = server.sql("SELECT key, failures FROM profile.login_failures WHERE key LIKE 'pair:%'", database_name)
    assert [row[1] for row in failures] == [5]


def test_a_refresh_token_works_once_and_its_return_ends_the_session(rig: Rig, ann: Person) -> None:
    first = ann.session["refresh_token"]
    second = refresh(rig, first).json["refresh_token"]
    third = refresh(rig, second)
    assert third.status_code == 200
    assert refresh(rig, second).status_code == 401
    assert refresh(rig, third.json["refresh_token"]).status_code == 401
    assert log_in(rig, ann).status_code == 200


def test_one_stolen_session_does_not_end_another(rig: Rig, ann: Person) -> None:
    other = log_in(rig, ann).json["refresh_token"]
    first = ann.session["refresh_token"]
    refresh(rig, first)
    assert refresh(rig, first).status_code == 401
    assert refresh(rig, other).status_code == 200


def test_logging_out_ends_a_session_and_everywhere_ends_all(rig: Rig, ann: Person) -> None:
    one, two, three = (log_in(rig, ann).json["refresh_token"] for _ in range(3))
    assert rig.ask("POST", "/v1/auth/logout", {"refresh_token": one}).status_code == 204
    assert refresh(rig, one).status_code == 401
    kept = refresh(rig, two).json["refresh_token"]
    rig.ask("POST", "/v1/auth/logout", {"refresh_token": three, "everywhere": True})
    assert refresh(rig, kept).status_code == 401


def test_neither_passwords_nor_refresh_tokens_are_kept_as_they_are(
    server: Server, database_name: str, ann: Person
) -> None:
    kept = str(
        server.sql("SELECT to_jsonb(u), to_jsonb(t) FROM profile.users u, profile.refresh_tokens t", database_name)
    )
    assert "$argon2id$" in kept
    assert PASSWORD not in kept
    assert ann.session["refresh_token"] not in kept


@pytest.mark.parametrize("spoilt", ["cut", "other key", "none", "expired", "other audience"])
def test_an_access_token_that_is_not_right_is_nobodys(rig: Rig, ann: Person, spoilt: str) -> None:
    token = ann.session["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    key, kid = rig.identities._key, {"kid": header["kid"]}
    made = {
        "cut": token[:-4],
        "other key": jwt.encode(claims, "a secret that is long enough for that", "HS256", headers=kid),
        "none": jwt.encode(claims, None, "none", headers=kid),
        "expired": jwt.encode(claims | {"exp": 1}, key, "EdDSA", headers=kid),
        "other audience": jwt.encode(claims | {"aud": "x"}, key, "EdDSA", headers=kid),
    }[spoilt]
    answer = rig.ask("GET", "/v1/me", headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_public_keys_are_those_of_the_tokens(rig: Rig, ann: Person) -> None:
    (key,) = rig.ask("GET", "/v1/auth/jwks.json").json["keys"]
    assert key["kid"] == jwt.get_unverified_header(ann.session["access_token"])["kid"]
    assert "d" not in key


def test_a_password_is_changed_with_the_old_one_and_ends_sessions(rig: Rig, ann: Person) -> None:
    body = {"old_password": "not it at all", "new_password": "another good one"}
    assert ann.ask("PUT", "/v1/me/password", body).status_code == 403
    assert ann.ask("PUT", "/v1/me/password", body | {"old_password": PASSWORD}).status_code == 204
    assert refresh(rig, ann.session["refresh_token"]).status_code == 401
    assert log_in(rig, ann).status_code == 401
    assert log_in(rig, ann, "another good one").status_code == 200


def test_a_profile_is_made_once_shown_and_known_to_the_coach(rig: Rig, ann: Person) -> None:
    path = f"/internal/users/{ann.user_id}/profile"
    assert rig.service("GET", path).status_code == 404
    made = ann.ask("PUT", "/v1/profile", ONBOARDING)
    assert made.status_code == 201, made.text
    assert ann.ask("PUT", "/v1/profile", ONBOARDING).status_code == 409
    assert ann.get("/v1/profile") == made.json
    assert ann.get("/v1/me")["needs_onboarding"] is False
    known = rig.service("GET", path).json
    assert (known["goals"], known["age"], known["name"]) == (["strength", "fat_loss"], 40, "Ann")
    assert known["conditions"] == [{"id": "hypertension", "severity": "mild"}]
    assert 1500 < known["maintenance_kcal"] < 2200


def test_every_version_of_a_profile_stays_in_its_history(ann: Person) -> None:
    etag = ann.ask("PUT", "/v1/profile", ONBOARDING).headers["ETag"]
    changed = ann.ask("PATCH", "/v1/profile", {"weight_kg": 65, "equipment": ["barbell"]}, If_Match=etag)
    assert changed.status_code == 200, changed.text
    assert ann.ask("PATCH", "/v1/profile", {"weight_kg": 64}, If_Match=etag).status_code == 412
    versions = ann.get("/v1/profile/history")["versions"]
    assert [(one["version"], one["profile"]["weight_kg"]) for one in versions] == [(2, 65), (1, 66.5)]
    assert versions[0]["profile"]["height_cm"] == 168


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"equipment": ["moon_rock"]}, "equipment.0"),
        ({"equipment": ["dumbbells", "dumbbells"]}, "equipment"),
        ({"conditions": [{"id": "no_such"}]}, "conditions.0"),
        ({"injuries": [{"id": "hypertension"}]}, "injuries.0"),
        ({"medications": [{"id": "no_such", "dose": "1 mg"}]}, "medications.0"),
        ({"goals": ["strength", "strength"]}, "goals"),
    ],
)
def test_a_profile_names_only_what_the_catalogue_has(ann: Person, change: dict[str, object], field: str) -> None:
    answer = ann.ask("PUT", "/v1/profile", ONBOARDING | change)
    assert answer.status_code == 400
    assert field in str(answer.json["error"]["fields"])


def test_an_export_has_everything_and_a_deletion_leaves_nothing(
    server: Server, database_name: str, rig: Rig, ann: Person, bob: Person
) -> None:
    ann.ask("PUT", "/v1/profile", ONBOARDING)
    workout_id, _ = ann.workout(sets=2)
    ann.ask("PATCH", "/v1/daily/2026-03-01", {"sleep_h": 7})
    ann.made("/v1/targets/sleep", {"value": 8}, Idempotency_Key="a")
    bob.workout(sets=1)
    whole = ann.get("/v1/me/export")
    assert whole["account"]["email"] == ann.email
    assert whole["profile"][0]["profile"]["sex"] == "female"
    assert whole["logging"]["workouts"][0]["workout_id"] == workout_id
    assert len(whole["logging"]["workouts"][0]["exercises"][0]["sets"]) == 2
    assert whole["logging"]["days"][0]["sleep_h"] == 7
    assert ann.ask("DELETE", "/v1/me", {"password": "not it at all"}).status_code == 403
    assert ann.ask("DELETE", "/v1/me", {"password": PASSWORD}).status_code == 204
    tables = server.sql(
        "SELECT table_schema || '.' || table_name FROM information_schema.columns WHERE column_name = 'user_id' "
        "AND table_schema IN ('profile', 'plan', 'logging')",
        database_name,
    )
    left = {
        str(table): server.sql(f"SELECT count(*) FROM {table} WHERE user_id = '{ann.user_id}'", database_name)[0][0]
        for (table,) in tables
    }
    assert left
    assert {table: count for table, count in left.items() if count} == {}
    assert bob.get("/v1/dashboard")["weeks"][-1]["sets"] == 1
    assert ann.ask("GET", "/v1/me").status_code == 404
    assert ann.ask("POST", "/v1/workouts", {}).status_code == 401


def test_the_catalogue_is_filtered_and_paged(rig: Rig) -> None:
    first = rig.ask("GET", "/v1/catalog/exercises?muscle=quads&limit=2").json
    second = rig.ask("GET", f"/v1/catalog/exercises?muscle=quads&limit=2&cursor={first['next']}").json
    assert all("quads" in one["primary"] for one in first["exercises"] + second["exercises"])
    assert not {one["id"] for one in first["exercises"]} & {one["id"] for one in second["exercises"]}
    bare = rig.ask("GET", "/v1/catalog/exercises?equipment=dumbbells&limit=200").json["exercises"]
    assert bare
    assert all(any(set(needed) <= {"dumbbells"} for needed in one["equipment"]) for one in bare)
    assert rig.ask("GET", "/v1/catalog/exercises?muscle=tail").status_code == 400


def test_a_service_without_an_identity_gets_nothing(rig: Rig, ann: Person) -> None:
    for path in (f"/internal/users/{ann.user_id}/profile", f"/internal/users/{ann.user_id}/export"):
        assert rig.ask("GET", path).status_code == 401
        assert ann.ask("GET", path).status_code == 401
        wrong = rig.identities.sign("somebody-else")
        assert rig.ask("GET", path, headers={"Authorization": f"Bearer {wrong}"}).status_code == 401


def test_a_service_acts_for_a_user_only_with_its_identity(rig: Rig, ann: Person, bob: Person) -> None:
    token = rig.identities.sign("logging")
    acting = {"Authorization": f"Bearer {token}", "X-FitSense-User": ann.user_id}
    workout_id, entry_id = ann.workout()
    assert rig.ask("GET", f"/v1/workouts/{workout_id}", headers=acting).status_code == 200
    claimed = bob.ask("POST", f"/v1/workouts/{workout_id}/sets", new_set(entry_id), X_FitSense_User=ann.user_id)
    assert claimed.status_code == 401
