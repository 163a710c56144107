"""Job ended: turn the end of a training job into an event, whatever way it came.

In      job-ended       a notification of Batch, an audit log entry of Cloud Run, or a launcher's own message
Writes  nothing
Out     training-ended
Raises  Unavailable as long as the job's launcher says that it runs: it was told of early, and is asked again
"""

import functions_framework

from functions.job_ended.inquest import inquest
from shared.events import JobEnded, TrainingEnded
from shared.phase import Run, phase


@functions_framework.cloud_event
@phase(JobEnded)
def job_ended(event: JobEnded, run: Run) -> TrainingEnded | None:
    return inquest(event, run)
