"""Phase 2, profiles: draw the synthetic people of a shard.

In      run-requested
Writes  runs/{run_id}/profiles/{shard}.jsonl      one UserProfile a line
Out     profiles-generated
"""

import functions_framework

from shared.events import ProfilesGenerated, RunRequested
from shared.paths import shard_file
from shared.phase import Run, phase
from shared.synthetic.people.draw import draw_profile


@functions_framework.cloud_event
@phase(RunRequested)
def profiles(event: RunRequested, run: Run) -> ProfilesGenerated:
    uri = run.create_once(
        shard_file(run.run_id, "profiles", event.shard),
        lambda: (draw_profile(run.config, index) for index in run.users(event)),
    )
    return ProfilesGenerated(run_id=run.run_id, shard=event.shard, shards=event.shards, profiles_uri=uri)
