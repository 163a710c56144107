"""Server: everything a storage server is made of, below one directory."""

from dataclasses import dataclass
from pathlib import Path

from deploy.storage_server.buckets import Buckets
from deploy.storage_server.contents import Contents
from deploy.storage_server.database import Database
from deploy.storage_server.events import Outbox
from deploy.storage_server.objects import Objects
from deploy.storage_server.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Server:
    """The parts that the routes call."""

    project: str
    database: Database
    buckets: Buckets
    objects: Objects
    uploads: Uploads
    outbox: Outbox


def open_server(root: Path, project: str, pubsub: str | None, base_url: str) -> Server:
    """Open a directory, making it where it is new; raises Unavailable, OSError."""
    database = Database(root / "storage.sqlite")
    contents = Contents(root / "contents")
    outbox = Outbox(database, pubsub, base_url)
    objects = Objects(database, contents, outbox)
    uploads = Uploads(database, contents, objects)
    uploads.sweep()
    return Server(project, database, Buckets(database), objects, uploads, outbox)
