"""Autotrain: ask for a training of an approved dataset, where the run's config says so.

In      dataset-approved
Writes  nothing
Out     train-requested
"""

import functions_framework

from functions.autotrain.wish import wish
from shared.events import DatasetApproved, TrainRequested
from shared.phase import Run, phase


@functions_framework.cloud_event
@phase(DatasetApproved)
def autotrain(event: DatasetApproved, run: Run) -> TrainRequested | None:
    return wish(event, run.config.training)
