"""Train: start the training job of a run, and return at once.

In      train-requested
Writes  the document jobs/{job}, before the job starts
Out     nothing: the job itself publishes model-evaluated, and its end, whatever way it comes, is a job-ended
Raises  Rejected where the run has no dataset, or the stack no such place to run it
"""

import functions_framework

from functions.train.launch import launch
from shared.events import TrainRequested
from shared.phase import Run, phase


@functions_framework.cloud_event
@phase(TrainRequested)
def train(event: TrainRequested, run: Run) -> None:
    launch(event, run)
