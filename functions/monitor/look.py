"""Look: see what waits, note since when, tell of what has waited too long, and tell lost ends once more."""

import logging
from datetime import datetime

from functions.monitor.sightings import KINDS, Sightings, Waiting, overdue, sighted
from functions.monitor.waiting import waiting
from shared.documents import Data, update
from shared.events import JobEnded
from shared.runtime import Runtime

DOCUMENT = "monitor/sightings"
IDS_TOLD = 20
"""How many of a kind a line of log names; it counts all."""

log = logging.getLogger("fitsense.monitor")


def look_around(around: Runtime, now: datetime) -> list[JobEnded]:
    """Return the ends of trainings that nobody has heard of; raises Unavailable."""
    found = waiting(around)
    noted = Sightings()

    def note(data: Data) -> Data:
        nonlocal noted
        noted = sighted(Sightings.model_validate(data), found, now)
        return noted.model_dump(mode="json")

    update(around.documents, DOCUMENT, note)
    late = overdue(noted, found, now, around.settings.monitor_patience_s)
    log.info("looked around", extra={"waiting": len(found), "overdue": len(late)})
    for kind in KINDS:
        _tell([one for one in late if one.what == kind])
    return [JobEnded(job=one.id) for one in late if one.end_untold]


def _tell(late: list[Waiting]) -> None:
    """Tell of what waits too long, all of one kind."""
    if late:
        ids = [one.id for one in late[:IDS_TOLD]]
        fields = {"what": late[0].what, "count": len(late), "ids": ids, "reason": late[0].reason}
        log.warning("waits too long", extra=fields)
