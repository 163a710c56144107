"""Monitor: look for what ought to move on by itself and does not, because nothing else says so of it.

In      monitor-due     by the clock: Cloud Scheduler, or the local stacks' own
Writes  the document monitor/sightings, and a line of log for each kind of thing that waits too long
Out     job-ended, for a training whose launcher says that it is over and whose end was never heard
"""

from datetime import UTC, datetime

import functions_framework

from functions.monitor.look import look_around
from shared.events import JobEnded, MonitorDue
from shared.phase import hearing
from shared.runtime import Runtime


@functions_framework.cloud_event
@hearing(MonitorDue)
def monitor(event: MonitorDue, around: Runtime) -> list[JobEnded]:
    return look_around(around, datetime.now(UTC))
