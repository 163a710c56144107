"""Every answer of the profile and logging services as their documents say; plan's stands with its other tests."""

from collections.abc import Mapping

import pytest

from tests.services.openapi_cases import fuzz
from tests.services.rig import ONBOARDING, PASSWORD, Person, Rig

CASES = 20
OF_LOGGING = frozenset(
    {
        *("GET /v1/workouts", "GET /v1/daily", "GET /v1/interactions"),
        *("POST /v1/workouts", "PATCH /v1/workouts/{workout_id}", "POST /v1/workouts/{workout_id}/finish"),
        *("POST /v1/workouts/{workout_id}/exercises", "POST /v1/workouts/{workout_id}/sets"),
        *("GET /v1/daily/{day}", "PATCH /v1/daily/{day}", "DELETE /v1/daily/{day}"),
        *("POST /v1/targets/{kind}", "PATCH /v1/targets/{target_id}"),
    }
)
"""Operations with rules that no schema says: cursors that were given, days not ahead, fields that need each other."""
OF_PROFILE = frozenset(
    {"GET /v1/catalog/exercises", "PUT /v1/profile", "PATCH /v1/profile", "PUT /v1/me/password", "DELETE /v1/me"}
)


def headers(person: Person) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {person.session['access_token']}"}


@pytest.mark.slow
def test_every_answer_of_logging_is_as_its_document_says(rig: Rig) -> None:
    person = rig.person()
    made = [person.workout(sets=2) for _ in range(4)]
    target = person.made("/v1/targets/sleep", {"value": 8.0})["target_id"]
    sets = [person.get(f"/v1/workouts/{workout}")["exercises"][0]["sets"][0]["set_id"] for workout, _ in made]
    ids = {
        "workout_id": [workout for workout, _ in made],
        "entry_id": [entry for _, entry in made],
        "set_id": sets,
        "target_id": [target],
        "day": ["2026-01-05"],
        "exercise": ["back-squat"],
    }
    tally = fuzz(rig.logging, "/v1/openapi/logging.json", lambda: headers(person), ids, CASES, beyond=OF_LOGGING)
    assert tally.cases >= 2000


@pytest.mark.slow
def test_every_answer_of_profile_is_as_its_document_says(rig: Rig) -> None:
    """Each case has somebody new: some of them log out, change their password or go for good."""

    def somebody() -> Mapping[str, str]:
        person = rig.person()
        assert person.ask("PUT", "/v1/profile", ONBOARDING).status_code == 201
        return headers(person)

    ids = {"exercise": ["back-squat"], "password": [PASSWORD], "old_password": [PASSWORD]}
    tally = fuzz(rig.profile, "/v1/openapi/profile.json", somebody, ids, CASES, beyond=OF_PROFILE)
    assert tally.cases >= 1000
