"""Races: real threads at one moment on a real Postgres; what must be one stays one."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.postgres import Server
from tests.services.rig import PASSWORD, Person, Rig, new_set

AT_ONCE = 8


def at_once(do: Callable[[int], int]) -> Counter[int]:
    """Do something in several threads at one moment; returns how often each status came."""
    together = threading.Barrier(AT_ONCE)

    def run(number: int) -> int:
        together.wait()
        return do(number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return Counter(threads.map(run, range(AT_ONCE)))


def test_one_e_mail_signs_up_once(rig: Rig) -> None:
    body = {"name": "A", "email": "a@example.com", "password": PASSWORD}
    emails = [body | {"email": body["email"].upper() if n % 2 else body["email"]} for n in range(AT_ONCE)]
    got = at_once(lambda n: rig.ask("POST", "/v1/auth/signup", emails[n]).status_code)
    assert got == {201: 1, 409: AT_ONCE - 1}


def test_one_sign_up_under_one_key_is_one_account_for_all_who_sent_it(rig: Rig) -> None:
    body = {"name": "A", "email": "a@example.com", "password": PASSWORD}
    seen: list[str] = []

    def post(_: int) -> int:
        answer = rig.ask("POST", "/v1/auth/signup", body, {"Idempotency-Key": "once"})
        seen.append(answer.json["user_id"])
        return answer.status_code

    assert at_once(post) == {201: AT_ONCE}
    assert len(set(seen)) == 1


def test_one_set_number_is_logged_once(ann: Person) -> None:
    workout_id, entry_id = ann.workout()
    path = f"/v1/workouts/{workout_id}/sets"
    got = at_once(lambda _: ann.ask("POST", path, new_set(entry_id, 1)).status_code)
    assert got == {201: 1, 409: AT_ONCE - 1}
    assert ann.get("/v1/dashboard")["weeks"][-1]["sets"] == 1


def test_sets_at_one_moment_are_all_summed(ann: Person) -> None:
    workout_id, entry_id = ann.workout()
    path = f"/v1/workouts/{workout_id}/sets"
    got = at_once(lambda n: ann.ask("POST", path, new_set(entry_id, n + 1)).status_code)
    assert got == {201: AT_ONCE}
    week = ann.get("/v1/dashboard")["weeks"][-1]
    assert (week["sets"], week["volume_kg"]) == (AT_ONCE, AT_ONCE * 400)


def test_one_idempotency_key_at_one_moment_is_one_request(ann: Person) -> None:
    seen: list[str] = []

    def post(_: int) -> int:
        answer = ann.ask("POST", "/v1/workouts", {}, Idempotency_Key="once")
        seen.append(answer.json["workout_id"])
        return answer.status_code

    assert at_once(post) == {201: AT_ONCE}
    assert len(set(seen)) == 1
    assert len(ann.get("/v1/workouts")["workouts"]) == 1


def test_one_day_is_one_row(server: Server, database_name: str, ann: Person) -> None:
    bodies = [{"sleep_h": 7 + n / 10} if n % 2 else {"kcal": 2000 + n} for n in range(AT_ONCE)]
    got = at_once(lambda n: ann.ask("PATCH", "/v1/daily/2026-03-01", bodies[n]).status_code)
    assert got == {200: AT_ONCE}
    ((rows, version),) = server.sql("SELECT count(*), max(version) FROM logging.days", database_name)
    assert (rows, version) == (1, AT_ONCE)
    day = ann.get("/v1/daily/2026-03-01")
    assert day["sleep_h"] is not None
    assert day["kcal"] is not None


def test_targets_set_at_one_moment_leave_one_active(server: Server, database_name: str, ann: Person) -> None:
    got = at_once(lambda n: ann.ask("POST", "/v1/targets/calories", {"value": 2000 + n}).status_code)
    assert set(got) <= {201, 409}
    assert got[201] >= 1
    counted = "SELECT count(*) FILTER (WHERE effective_to IS NULL), count(*) FROM logging.targets"
    assert server.sql(counted, database_name) == [[1, got[201]]]


def test_one_profile_is_changed_by_one_of_those_who_read_it(ann: Person) -> None:
    from tests.services.rig import ONBOARDING

    ann.ask("PUT", "/v1/profile", ONBOARDING)
    got = at_once(lambda n: ann.ask("PATCH", "/v1/profile", {"weight_kg": 60 + n}, If_Match='"1"').status_code)
    assert got == {200: 1, 412: AT_ONCE - 1}
    assert len(ann.get("/v1/profile/history")["versions"]) == 2


def test_one_refresh_token_is_used_by_one(rig: Rig, ann: Person) -> None:
    body = {"refresh_token": ann.session["refresh_token"]}
    got = at_once(lambda _: rig.ask("POST", "/v1/auth/refresh", body).status_code)
    assert got == {200: 1, 401: AT_ONCE - 1}
