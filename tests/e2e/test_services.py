"""The services as fitsense up runs them: processes behind one URL, jobs by the bus, and what dies starts again."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.demo.person import WISHES, live_a_week
from deploy.local.stack import LocalStack, local_stack
from tests.e2e.command import fitsense, run_json

pytestmark = pytest.mark.slow

PATIENCE_S = 120
PERSON = {
    "age": 40,
    "sex": "female",
    "height_cm": 168,
    "weight_kg": 66.5,
    "goals": ["strength"],
    "activity_level": "lightly_active",
    "experience": "beginner",
    "days_per_week": 3,
    "equipment": ["dumbbells"],
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with local_stack(tmp_path_factory.mktemp("out"), stack="embedded", postgres=True) as running:
        yield running


@pytest.fixture
def client(stack: LocalStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.environment["FITSENSE_URL"], timeout=PATIENCE_S, trust_env=False) as http:
        yield http


def signed_up(client: httpx.Client) -> httpx.Client:
    body = {"name": "Ann", "email": f"ann{time.monotonic_ns()}@example.com", "password": "correct horse battery"}
    session = client.post("/v1/auth/signup", json=body).raise_for_status().json()
    client.headers["Authorization"] = f"Bearer {session['access_token']}"
    client.put("/v1/profile", json=PERSON).raise_for_status()
    return client


def until(ask: Any, is_so: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so(answer := ask()):
        assert time.monotonic() < deadline, getattr(answer, "text", answer)
        time.sleep(0.1)
    return answer


def test_a_plan_is_streamed_a_workout_logged_and_the_next_week_adapted(client: httpx.Client) -> None:
    ann = signed_up(client)
    with ann.stream("POST", "/v1/plans:stream", json={}) as answer:
        assert answer.status_code == 200
        names = [line.removeprefix("event: ") for line in answer.iter_lines() if line.startswith("event: ")]
    assert "plan" in names
    workout = ann.post("/v1/workouts", json={}).raise_for_status().json()["workout_id"]
    entry = ann.post(f"/v1/workouts/{workout}/exercises", json={"exercise": "goblet-squat", "position": 1}).json()
    body = {"entry_id": entry["entry_id"], "number": 1, "reps": 8, "load_kg": 16, "rir": 3}
    ann.post(f"/v1/workouts/{workout}/sets", json=body).raise_for_status()
    assert ann.get("/v1/dashboard").json()["weeks"][-1]["sets"] == 1
    assert ann.post("/v1/adaptation:next_week", json={}).raise_for_status().json()["signals"]
    exported = ann.get("/v1/me/export").raise_for_status().json()
    assert exported["logging"]["workouts"][0]["workout_id"] == workout
    assert exported["plan"]


def test_a_job_is_done_by_way_of_the_bus(client: httpx.Client) -> None:
    ann = signed_up(client)
    job = ann.post("/v1/plans", json={}).json()["job_id"]
    ended = until(
        lambda: ann.get(f"/v1/plans/jobs/{job}").json(), lambda job: job["status"] not in ("queued", "running")
    )
    assert ended["status"] == "completed"


def test_what_is_not_public_is_not_reached_and_nobody_names_themselves(client: httpx.Client) -> None:
    for path in ("/internal/users/x/summary", "/metrics", "/readyz", "/events/ai-interaction", "/"):
        assert client.get(path).status_code == 404
    ann = signed_up(client)
    me = ann.get("/v1/me").json()["user_id"]
    forged = ann.get("/v1/me", headers={"X-FitSense-User": "00000000-0000-4000-8000-000000000000"})
    assert forged.json()["user_id"] == me


@pytest.mark.parametrize("victim", ["services:logging", "postgres"])
def test_what_is_killed_serves_again(stack: LocalStack, client: httpx.Client, victim: str) -> None:
    ann = signed_up(client)
    stack.restart(victim)
    until(lambda: ann.get("/v1/dashboard"), lambda answer: answer.status_code == 200)
    assert ann.post("/v1/workouts", json={}).status_code == 201


def test_the_coach_is_asked_from_the_command_line_by_somebody_of_its_own(stack: LocalStack) -> None:
    out = stack.environment["FITSENSE_OUT"]
    asked = fitsense("ask", "How long should I rest between sets?", "--out", out)
    assert asked.returncode == 0, asked.stderr
    assert "three minutes" in asked.stdout
    assert "rule-based" in asked.stderr
    who = (Path(out) / "asker.json").read_bytes()
    again = run_json("ask", "How long should I rest between sets?", "--out", out)
    assert (again["exit"], again["writer"]["kind"], again["escalation"]) == (0, "rule_based", "none")
    assert "three minutes" in again["reply"]
    assert (Path(out) / "asker.json").read_bytes() == who


def test_what_is_wrong_with_a_question_is_said(stack: LocalStack, tmp_path: Path) -> None:
    out = stack.environment["FITSENSE_OUT"]
    for arguments, message in (
        (("--token", "x"), "access token"),
        (("--url", "http://127.0.0.1:9"), "do not answer"),
        (("--out", tmp_path), "no stack runs"),
    ):
        refused = fitsense("ask", "How long?", "--out", out, *arguments)
        assert (refused.returncode, refused.stdout.strip()) == (1, "")
        assert message in refused.stderr
    assert "message: " in fitsense("ask", "x" * 5000, "--out", out).stderr


def test_a_service_that_is_down_is_503_and_the_others_serve(stack: LocalStack, client: httpx.Client) -> None:
    ann = signed_up(client)
    stack.kill("services:logging")
    answer = ann.get("/v1/dashboard")
    assert answer.status_code in (200, 503)  # it may have come up again already
    assert ann.get("/v1/me").status_code == 200
    until(lambda: ann.get("/v1/dashboard"), lambda answer: answer.status_code == 200)


def test_the_demos_person_lives_a_week_by_the_rule_based_coach_where_no_model_serves(
    stack: LocalStack, capsys: pytest.CaptureFixture[str]
) -> None:
    week = live_a_week(stack.environment["FITSENSE_URL"], "a-student")
    assert (week.plan_by, week.wishes) == (None, len(WISHES))
    said = capsys.readouterr().out
    for words in ("written by rule_based", "RIR", "rest", "the dashboard shows", "sleep"):
        assert words in said
