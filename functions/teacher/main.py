"""Phase 5, teacher: answer the messages of a shard, and check every answer.

In      queries-composed
Writes  runs/{run_id}/teacher/{shard}.jsonl       one TeacherResponse a line, in the order of the queries
Out     responses-collected, once no shard is missing
Raises  Stopped at the cost limit, Unavailable and Rejected as the endpoint has it; what was answered is cached
"""

import functions_framework

from functions.teacher.respond import respond
from shared.events import Event, QueriesComposed, ResponsesCollected
from shared.paths import shard_file
from shared.phase import Run, phase
from shared.records import Correspondence


@functions_framework.cloud_event
@phase(QueriesComposed)
def teacher(event: QueriesComposed, run: Run) -> Event | None:
    people = run.read(shard_file(run.run_id, "queries", event.shard), Correspondence)
    run.create_once(shard_file(run.run_id, "teacher", event.shard), lambda: respond(run, people))
    shards = (shard_file(run.run_id, "teacher", shard) for shard in range(event.shards))
    return run.joined(shards, ResponsesCollected(run_id=run.run_id, shards=event.shards))
