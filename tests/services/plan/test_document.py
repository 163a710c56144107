import pytest

from tests.postgres import Server
from tests.services.openapi_cases import fuzz
from tests.services.plan.planning import planted

CASES = 25


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(server: Server) -> None:
    with planted(server) as plant:
        user = plant.user()
        plans = [user.plan()["plan_id"] for _ in range(6)]
        proposals = [
            user.post(f"/v1/plans/{plan}:modify", {"message": "Make it easier"}).json["proposal_id"] for plan in plans
        ]
        jobs = [user.post("/v1/plans", {}).json["job_id"] for _ in range(2)]
        ids = {"plan_id": plans, "proposal_id": proposals, "job_id": jobs, "number": ["1"]}
        headers = {"Authorization": f"Bearer {user.user_id}"}
        tally = fuzz(plant.app, "/v1/openapi/plan.json", lambda: headers, ids, CASES)
        print(tally)
        assert tally.cases >= 700
