"""Phase 1, intake: turn a dropped config into a run.

In      config-dropped        Cloud Storage's notification, or the embedded inbox's
Writes  runs/{run_id}/run.json          the config with every default filled in, its digest, the code version
Out     run-requested, one a shard
Raises  Rejected for a config that cannot be run, after writing {name}.error.json beside it
"""

from collections.abc import Iterator

import functions_framework

from functions.intake.resolve import read_config, resolve
from shared.events import ConfigDropped, RunRequested
from shared.paths import run_file
from shared.phase import Run, phase


@functions_framework.cloud_event
@phase(ConfigDropped)
def intake(event: ConfigDropped, run: Run) -> Iterator[RunRequested]:
    config = read_config(event, run)
    run.create_document(run_file(run.run_id, "run.json"), lambda: resolve(event, config))
    shards = run.config.shards
    return (RunRequested(run_id=run.run_id, shard=shard, shards=shards) for shard in range(shards))
