"""Phase 3, workouts: give each person a plan, and simulate the weeks they trained by it.

In      profiles-generated
Writes  runs/{run_id}/workouts/{shard}.jsonl      one PersonLog a line, in the order of the profiles
Out     workouts-simulated
"""

import functions_framework

from shared.coach.profile import UserProfile
from shared.events import ProfilesGenerated, WorkoutsSimulated
from shared.paths import shard_file
from shared.phase import Run, phase
from shared.synthetic.training.simulate import simulate


@functions_framework.cloud_event
@phase(ProfilesGenerated)
def workouts(event: ProfilesGenerated, run: Run) -> WorkoutsSimulated:
    people = run.read(shard_file(run.run_id, "profiles", event.shard), UserProfile)
    uri = run.create_once(
        shard_file(run.run_id, "workouts", event.shard),
        lambda: (simulate(run.config, index, person) for index, person in zip(run.users(event), people, strict=True)),
    )
    return WorkoutsSimulated(run_id=run.run_id, shard=event.shard, shards=event.shards, workouts_uri=uri)
