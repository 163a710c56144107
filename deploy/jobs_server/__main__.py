"""Jobs server, started: `python -m deploy.jobs_server --root FOLDER --port PORT`; Pub/Sub is where variables say."""

import signal
import threading
from pathlib import Path

import click

from deploy.jobs_server.server import JobsServer, serving
from shared.bus import Message
from shared.gcp.bus import PubSubBus
from shared.gcp.clients import publisher
from shared.log import log_to
from shared.settings import Settings


@click.command()
@click.option("--root", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--port", type=click.IntRange(1, 65535), required=True)
def main(root: Path, port: int) -> None:
    """Run jobs until told to stop; they go on running, and are found again."""
    settings, over = Settings(), threading.Event()
    log_to(None, settings.log_level)
    bus = PubSubBus(publisher(), settings.project)

    def publish(message: Message) -> None:
        bus.send(message)
        bus.flush()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with serving(JobsServer(root, settings, publish), port):
        while not over.wait(1.0):  # a signal that another thread received is noticed here only between waits
            pass


if __name__ == "__main__":
    main()
