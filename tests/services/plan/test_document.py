import pytest

from tests.postgres import Server
from tests.services.openapi_cases import fuzz
from tests.services.plan.planning import planted

CASES = 25
BEYOND_SCHEMAS = frozenset({"PUT /v1/plans/{plan_id}", "PATCH /v1/plans/{plan_id}"})
"""A weekday and an exercise stand once, and an edit has to fit the plan."""

FITTING_BY_LUCK = {"PATCH /v1/plans/{plan_id}", "POST /v1/plans/{plan_id}:restore"}


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(server: Server) -> None:
    with planted(server) as plant:
        user = plant.user()
        plans = [user.plan()["plan_id"] for _ in range(6)]
        proposals = [
            user.post(f"/v1/plans/{plan}:modify", {"message": "Make it easier"}).json["proposal_id"] for plan in plans
        ]
        for plan in plans[3:]:
            edit = {"op": "remove", "day": user.get(f"/v1/plans/{plan}").json["days"][0]["weekday"]}
            user.send("PATCH", f"/v1/plans/{plan}", {"edits": [edit]}, If_Match='"1"')
        jobs = [user.post("/v1/plans", {}).json["job_id"] for _ in range(2)]
        ids = {
            "plan_id": plans,
            "proposal_id": proposals,
            "job_id": jobs,
            "number": [1],
            "revision": [1],
            "from_revision": [1],
            "to_revision": [1],
        }
        headers = {"Authorization": f"Bearer {user.user_id}"}
        tally = fuzz(plant.app, "/v1/openapi/plan.json", lambda: headers, ids, CASES, beyond=BEYOND_SCHEMAS)
        assert tally.cases >= 1000
        assert set(tally.never_done) <= FITTING_BY_LUCK
