"""Events: what happens to objects, published to Pub/Sub as Cloud Storage does it.

An event is written down in the transaction that makes it happen and crossed out once Pub/Sub has
it: a Pub/Sub that is away gets it later, and a server that is killed sends it after its restart,
rather twice than never.
"""

import base64
import http.client
import json
import logging
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import quote

from deploy.storage_server.database import Database, now
from deploy.storage_server.stored import Fields, StoredObject
from shared.errors import Unavailable

BATCH = 100
TIMEOUT_S = 10
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0
TOPIC_PREFIX = "//pubsub.googleapis.com/"

log = logging.getLogger("fitsense.storage")


@dataclass(frozen=True, slots=True)
class NotificationConfig:
    """Which events of a bucket go to which topic; the fields are the API's."""

    topic: str
    event_types: tuple[str, ...]
    object_name_prefix: str
    payload_format: str
    custom_attributes: dict[str, str]

    @classmethod
    def of_json(cls, text: str) -> "NotificationConfig":
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return text to keep."""
        return json.dumps(asdict(self))

    def wants(self, event: str, name: str) -> bool:
        """Return whether it is about such an event of an object of such a name."""
        return event in self.event_types and name.startswith(self.object_name_prefix)


class Outbox:
    """Events on their way. Without a Pub/Sub, a host and port, nothing is written down."""

    def __init__(self, database: Database, pubsub: str | None, base_url: str) -> None:
        self._database = database
        self._pubsub = pubsub
        self._base_url = base_url
        self._news = threading.Event()

    def add(
        self,
        db: sqlite3.Connection,
        event: str,
        about: StoredObject,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Write down an event, inside a transaction, for every notification config that wants it."""
        if self._pubsub is None:
            return
        for row in db.execute("SELECT id, fields FROM notifications WHERE bucket = ?", (about.bucket,)).fetchall():
            config = NotificationConfig.of_json(row["fields"])
            if config.wants(event, about.name):
                resource = about.resource(self._base_url)
                message = _message(config, row["id"], event, about, resource, attributes or {})
                sql = "INSERT INTO outbox (topic, message) VALUES (?, ?)"
                db.execute(sql, (config.topic.removeprefix(TOPIC_PREFIX), json.dumps(message)))

    def wake(self) -> None:
        """Say that there may be something to publish."""
        self._news.set()

    def start(self) -> None:
        """Publish from a thread, for as long as the process lives."""
        if self._pubsub is not None:
            self._news.set()
            threading.Thread(target=self._publish_forever, args=(self._pubsub,), name="outbox", daemon=True).start()

    def _publish_forever(self, pubsub: str) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            self._news.wait()
            self._news.clear()
            if self._publish_all(pubsub):
                retry_s = FIRST_RETRY_S
            else:
                threading.Event().wait(retry_s)
                retry_s = min(2 * retry_s, LAST_RETRY_S)
                self._news.set()

    def _publish_all(self, pubsub: str) -> bool:
        try:
            return all([self._publish_topic(pubsub, topic) for topic in self._topics()])
        except Unavailable as exc:
            log.warning("events not published", extra={"error": str(exc)})
            return False

    def _topics(self) -> list[str]:
        with self._database.reading() as db:
            return [row["topic"] for row in db.execute("SELECT DISTINCT topic FROM outbox")]

    def _publish_topic(self, pubsub: str, topic: str) -> bool:
        while True:
            with self._database.reading() as db:
                sql = "SELECT id, message FROM outbox WHERE topic = ? ORDER BY id LIMIT ?"
                rows = db.execute(sql, (topic, BATCH)).fetchall()
            if not rows:
                return True
            error = publish(pubsub, topic, [row["message"] for row in rows])
            if error:
                log.warning("event not published", extra={"topic": topic, "error": error})
                return False
            with self._database.writing() as db:
                db.execute("DELETE FROM outbox WHERE topic = ? AND id <= ?", (topic, rows[-1]["id"]))


def publish(pubsub: str, topic: str, messages: list[str]) -> str | None:
    """Publish messages, which are JSON, through Pub/Sub's REST API; return what went wrong."""
    connection = http.client.HTTPConnection(pubsub, timeout=TIMEOUT_S)
    try:
        body = f'{{"messages": [{", ".join(messages)}]}}'
        connection.request("POST", f"/v1/{quote(topic)}:publish", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        return None if response.status == 200 else f"{response.status} {answer[:200]!r}"
    except (OSError, http.client.HTTPException) as exc:
        return str(exc)
    finally:
        connection.close()


def _message(
    config: NotificationConfig,
    number: int,
    event: str,
    about: StoredObject,
    resource: Fields,
    more: Mapping[str, str],
) -> Fields:
    payload = json.dumps(resource) if config.payload_format == "JSON_API_V1" else ""
    attributes = {
        **config.custom_attributes,
        "eventType": event,
        "eventTime": now(),
        "payloadFormat": config.payload_format,
        "bucketId": about.bucket,
        "objectId": about.name,
        "objectGeneration": str(about.generation),
        "notificationConfig": f"projects/_/buckets/{about.bucket}/notificationConfigs/{number}",
        **more,
    }
    return {"data": base64.b64encode(payload.encode()).decode(), "attributes": attributes}
