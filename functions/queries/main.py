"""Phase 4, queries: compose the messages that the people of a shard send their coach.

In      workouts-simulated
Writes  runs/{run_id}/queries/{shard}.jsonl       one Correspondence a line, that is, a person with their messages
Out     queries-composed

Logs are parsed but not validated: our own code wrote them, and only a summary is read out of each.
"""

import functions_framework
import orjson

from shared.coach.profile import UserProfile
from shared.events import QueriesComposed, WorkoutsSimulated
from shared.paths import shard_file
from shared.phase import Run, phase
from shared.synthetic.messages.compose import compose


@functions_framework.cloud_event
@phase(WorkoutsSimulated)
def queries(event: WorkoutsSimulated, run: Run) -> QueriesComposed:
    people = run.read(shard_file(run.run_id, "profiles", event.shard), UserProfile)
    logs = map(orjson.loads, run.store.lines(shard_file(run.run_id, "workouts", event.shard)))
    everybody = zip(run.users(event), people, logs, strict=True)
    uri = run.create_once(
        shard_file(run.run_id, "queries", event.shard),
        lambda: (compose(run.config, index, person, log) for index, person, log in everybody),
    )
    return QueriesComposed(run_id=run.run_id, shard=event.shard, shards=event.shards, queries_uri=uri)
