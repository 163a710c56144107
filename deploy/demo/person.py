"""Person: somebody who signs up, gets a plan, trains by it, asks the coach, and has the next week adapted.

All by the public HTTP services, as an app would. A model may be told that its plan is not right for the person, and
then the rule-based coach writes; so Ann may ask in other words, a few times.
"""

import time
import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import httpx
from rich.console import Console

from deploy.asking import events, right
from deploy.demo.student import say

Json = dict[str, Any]

PROFILE: Final[Json] = {
    "age": 35, "sex": "female", "height_cm": 168, "weight_kg": 66, "goals": ["muscle_gain"],
    "activity_level": "lightly_active", "experience": "beginner", "days_per_week": 3, "session_minutes": 45,
    "equipment": ["dumbbells", "bench"], "conditions": [{"id": "hypertension", "severity": "mild"}],
}  # fmt: skip
WISHES: Final = (
    "Please make me a plan: 3 days a week, 45 minutes a session, to build muscle.",
    "I would like to build muscle, 3 days a week with 40 minutes each.",
    "Make me a plan for general fitness, 2 days a week, 30 minutes a session.",
    "I want to lose fat with 3 sessions a week of 30 minutes.",
)
QUESTION: Final = "How long should I rest between sets?"
WORKOUTS: Final = 2
SETS: Final = 2
ANSWER_S: Final = 180.0
HEARD_S: Final = 60.0
"""How long interactions may take from the router to the log."""


@dataclass(slots=True)
class Week:
    """What came of it."""

    plan_by: str | None = None
    """The model version that wrote the plan."""
    wishes: int = 0
    interactions: list[Json] = field(default_factory=list)


def live_a_week(url: str, version: str) -> Week:
    """Live it, and tell it; raises Unavailable where a service answers what it should not."""
    week = Week()
    with httpx.Client(base_url=url, timeout=httpx.Timeout(10, read=ANSWER_S), trust_env=False) as http:
        _sign_up(http)
        plan = _get_plan(http, version, week)
        _train(http, plan)
        _ask(http)
        _adapt(http)
        week.interactions = _heard(http, version) if week.plan_by else []
    return week


def _sign_up(http: httpx.Client) -> None:
    say("Ann signs up, and tells of herself")
    email, password = f"ann-{uuid.uuid4().hex[:8]}@example.com", uuid.uuid4().hex
    account = {"name": "Ann", "email": email, "password": password}
    session = right(http.post("/v1/auth/signup", json=account)).json()
    http.headers["Authorization"] = f"Bearer {session['access_token']}"
    right(http.put("/v1/profile", json=PROFILE))
    told = f"{PROFILE['age']} years, beginner, dumbbells and a bench, mild hypertension"
    Console().print(f"  {email}: {told}", style="dim", highlight=False)


def _get_plan(http: httpx.Client, version: str, week: Week) -> Json:
    """Return a plan, the student's where it finds one within a few wishes."""
    plan: Json = {}
    for wish in WISHES:
        week.wishes += 1
        plan = _plan(http, wish)
        writer = plan.get("writer", {})
        if writer.get("model_version") == version:
            week.plan_by = version
            return plan
        why = writer.get("reason") or "no plan"
        Console().print(f"  written by {writer.get('kind')}: {why}; she asks in other words", style="dim")
    return plan


def _plan(http: httpx.Client, wish: str) -> Json:
    """Ask for a plan and show it while it is written, day by day; returns it as it was kept."""
    say(f"\u201c{wish}\u201d")
    began, console = time.monotonic(), Console()
    with http.stream("POST", "/v1/plans:stream", json={"message": wish}) as response:
        for name, told in events(right(response).iter_lines()):
            if name == "day":
                _show_day(console, told["day"], time.monotonic() - began)
            elif name == "error":
                console.print(f"  · {told['message']}", style="dim", highlight=False)
            elif name == "plan":
                console.print(f"  {told['explanation']}", style="italic", highlight=False)
                return told
    return {}


def _show_day(console: Console, day: Json, after_s: float) -> None:
    console.print(f"  [bold]{day['weekday'].title()}[/]  {day['name']}  [dim]{after_s:.1f} s[/]", highlight=False)
    for line in day["exercises"]:
        unit = {"reps": "", "seconds": " s", "minutes": " min"}[line["unit"]]
        told = f"{line['sets']} × {line['reps']}{unit}  {line['name']}"
        console.print(f"     {told}  [dim]RIR {line['rir']}, rest {line['rest_s']} s[/]", highlight=False)


def _train(http: httpx.Client, plan: Json) -> None:
    say(f"she logs {WORKOUTS} workouts, and how she slept")
    today = date.today()
    for number, day in enumerate(plan["days"][:WORKOUTS]):
        workout = right(http.post("/v1/workouts", json={"name": day["name"][:60]})).json()["workout_id"]
        for place, line in enumerate(day["exercises"], start=1):
            told = {"exercise": line["exercise"], "position": place}
            entry = right(http.post(f"/v1/workouts/{workout}/exercises", json=told)).json()["entry_id"]
            for number in range(1, SETS + 1):
                done = {"entry_id": entry, "number": number, "reps": line["reps"], "rir": line["rir"]}
                right(http.post(f"/v1/workouts/{workout}/sets", json=done))
        right(http.post(f"/v1/workouts/{workout}/finish", json={}))
        slept = (today - timedelta(days=number)).isoformat()
        right(http.patch(f"/v1/daily/{slept}", json={"sleep_h": 5.5}))
    seen = right(http.get("/v1/dashboard")).json()
    Console().print(f"  the dashboard shows {', '.join(sorted(seen))}", style="dim", highlight=False)


def _ask(http: httpx.Client) -> None:
    say(f"\u201c{QUESTION}\u201d")
    console = Console()
    with http.stream("POST", "/v1/coach:stream", json={"message": QUESTION}) as response:
        for name, told in events(right(response).iter_lines()):
            if name == "text":
                console.print(f"  {told['text'].strip()}", highlight=False)
            elif name == "reply":
                writer = told["writer"]
                console.print(f"  — {writer['model_version'] or writer['kind']}", style="dim", highlight=False)


def _adapt(http: httpx.Client) -> None:
    say("next week, by what she logged")
    console = Console()
    found = right(http.post("/v1/adaptation:next_week", json={})).json()
    for signal in found["signals"]:
        console.print(f"  · {signal['seen']} {signal['suggestion']}", highlight=False)
    proposal = found["proposal"]
    if proposal is None:
        console.print("  nothing has to change", highlight=False)
        return
    for edit in proposal["edits"]:
        console.print(f"  {edit['text']}: {edit['why']}", highlight=False)
    writer = proposal["writer"]
    console.print(f"  — {writer['model_version'] or writer['kind']}", style="dim", highlight=False)


def _heard(http: httpx.Client, version: str) -> list[Json]:
    """Return what the log has of all that a model was asked, once the plan is in it."""
    deadline, rows = time.monotonic() + HEARD_S, list[Json]()
    while time.monotonic() < deadline:
        rows = right(http.get("/v1/interactions", params={"limit": 50})).json()["interactions"]
        if {"plan_creation", "coach_chat"} <= {row["prompt_type"] for row in rows if row["model_version"] == version}:
            break
        time.sleep(0.5)
    return rows
