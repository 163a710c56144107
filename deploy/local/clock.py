"""Clock: `python -m deploy.local.clock`: what Cloud Scheduler is in the cloud, for as long as `fitsense up` lasts.

It publishes the same messages to the same topics. When is simpler: all of them every so many seconds, because
somebody who watches a stack on a laptop would rather not wait for a quarter past.
"""

import json
import logging
import time
from pathlib import Path

import click

from deploy.deployables import deployables
from deploy.interrupts import interruptible
from shared.bus import Message, event_in
from shared.errors import Unavailable
from shared.event import Event
from shared.runtime import runtime

log = logging.getLogger("fitsense.clock")


def scheduled() -> list[Event]:
    """Return what each schedule of deployables.yaml publishes, as Terraform has Cloud Scheduler send it."""
    return [event_in(_sent(name, one.topic)) for name, one in deployables().schedules.items()]


def _sent(schedule: str, topic: str) -> Message:
    return Message(topic, json.dumps({"schedule": schedule}).encode(), {})


@click.command()
@click.option("--every-s", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True)
@click.option("--ready-file", type=click.Path(dir_okay=False, path_type=Path), required=True)
def main(every_s: float, ready_file: Path) -> None:
    """Publish what is scheduled, again and again, until told to stop."""
    with interruptible():
        bus, events = runtime().bus, scheduled()
        ready_file.touch()
        while True:
            try:
                for event in events:
                    bus.publish(event)
                bus.flush()
            except Unavailable as exc:
                log.warning("cannot publish now", extra={"reason": str(exc)})
            time.sleep(every_s)


if __name__ == "__main__":
    main()
