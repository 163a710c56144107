"""Dead letters: keep what a phase could not take, for people to mend, replay or drop.

In      dead-letters        any message after its last attempt, with what Pub/Sub notes of its death
Writes  the documents dead-letters/{id}, and runs/{run_id} as failed, with the reason
Out     nothing
"""

import functions_framework
from cloudevents.http import CloudEvent

from functions.dead_letters.autopsy import settle
from shared.push import message_in, push_function
from shared.runtime import runtime


@functions_framework.cloud_event
@push_function
def dead_letters(cloud_event: CloudEvent) -> None:
    settle(message_in(cloud_event), runtime().documents)
