"""Nobody reaches what is another's: every endpoint, every id, is 404 for whoever is not its user."""

from uuid import uuid4

import pytest

from tests.services.rig import Person, Rig, new_set

BODIES = {
    "/finish": {},
    "/exercises": {"exercise": "push-up", "position": 9},
    "/sets": None,
}


def everything_of(person: Person) -> dict[str, str]:
    """Return one of each thing, by the name that it has in paths."""
    workout_id, entry_id = person.workout(sets=1)
    (entry,) = person.get(f"/v1/workouts/{workout_id}")["exercises"]
    target = person.made("/v1/targets/sleep", {"value": 8})
    person.ask("PATCH", "/v1/daily/2026-03-01", {"sleep_h": 7})
    return {
        "workout_id": workout_id,
        "entry_id": entry_id,
        "set_id": entry["sets"][0]["set_id"],
        "target_id": target["target_id"],
    }


def body_for(rule: str, method: str, ids: dict[str, str]) -> object:
    if method == "POST" and rule.endswith("/sets"):
        return new_set(ids["entry_id"], 7)
    if method == "POST":
        return next((body for end, body in BODIES.items() if rule.endswith(end)), {})
    return {"notes": "mine now"} if "set_id" not in rule else {"reps": 1}


def test_every_endpoint_that_takes_an_id_is_404_for_anothers(rig: Rig, ann: Person, bob: Person) -> None:
    ids = everything_of(ann)
    before = ann.get(f"/v1/workouts/{ids['workout_id']}"), ann.get("/v1/targets"), ann.get("/v1/dashboard")
    tried = 0
    for rule in rig.logging.url_map.iter_rules():
        if not rule.rule.startswith("/v1/") or not rule.arguments & set(ids):
            continue
        path = rule.rule.replace("<uuid:", "{").replace(">", "}").format(**ids)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            body = None if method in ("GET", "DELETE") else body_for(rule.rule, method, ids)
            answer = bob.ask(method, path, body, If_Match='"1"')
            assert answer.status_code == 404, (method, path, answer.text)
            tried += 1
    assert tried >= 13
    assert before == (ann.get(f"/v1/workouts/{ids['workout_id']}"), ann.get("/v1/targets"), ann.get("/v1/dashboard"))


@pytest.mark.parametrize("mine", ["workout", "exercise"])
def test_anothers_id_in_a_body_or_beside_ones_own_is_404(ann: Person, bob: Person, mine: str) -> None:
    his = everything_of(ann)
    workout_id, entry_id = bob.workout()
    paths = {"workout": (workout_id, his["entry_id"]), "exercise": (his["workout_id"], entry_id)}
    workout, entry = paths[mine]
    assert bob.ask("POST", f"/v1/workouts/{workout}/sets", new_set(entry)).status_code == 404
    part = bob.ask("DELETE", f"/v1/workouts/{workout_id}/sets/{his['set_id']}")
    assert part.status_code == 404


def test_lists_show_ones_own_alone(ann: Person, bob: Person) -> None:
    everything_of(ann)
    assert bob.get("/v1/workouts")["workouts"] == []
    assert bob.get("/v1/daily")["days"] == []
    assert bob.get("/v1/targets")["targets"] == []
    assert bob.get("/v1/interactions")["interactions"] == []
    assert bob.get("/v1/dashboard")["weeks"] == []


def test_what_nobody_has_looks_like_what_another_has(ann: Person, bob: Person) -> None:
    workout_id, _ = ann.workout()
    others = bob.ask("GET", f"/v1/workouts/{workout_id}").json["error"]
    nobodys = bob.ask("GET", f"/v1/workouts/{uuid4()}").json["error"]
    assert {key: others[key] for key in ("code", "message")} == {key: nobodys[key] for key in ("code", "message")}


@pytest.mark.parametrize("path", ["/v1/workouts", "/v1/daily", "/v1/targets", "/v1/dashboard", "/v1/me", "/v1/profile"])
def test_nobody_without_a_token_gets_anything(rig: Rig, path: str) -> None:
    assert rig.ask("GET", path).status_code == 401
