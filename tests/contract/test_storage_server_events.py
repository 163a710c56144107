"""What the storage server tells Pub/Sub: the right events, once they can be told, with what Cloud Storage says."""

import json
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import storage
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1 import PubsubMessage
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from deploy.local.ports import Ports
from tests.emulators import jars, running
from tests.storage import StorageServer, storage_client

PROJECT = "fitsense-local"
PATIENCE_S = 30
Event = tuple[dict[str, str], Any]


class Listener:
    """A topic of its own in a Pub/Sub emulator, and what was published to it."""

    def __init__(self, pubsub: str, topic: str | None = None) -> None:
        channel = grpc.insecure_channel(pubsub)
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        self.topic = topic or f"topic-{uuid.uuid4().hex}"
        path = f"projects/{PROJECT}/topics/{self.topic}"
        self._subscription = f"projects/{PROJECT}/subscriptions/{self.topic}"
        publisher.create_topic(name=path)
        self._subscriber.create_subscription(name=self._subscription, topic=path)

    def events(self, count: int) -> list[Event]:
        """Return the events so far in order of publishing, once there are as many, and no more come."""
        found: dict[int, Event] = {}
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            received = self._pull()
            if not received and len(found) >= count:
                break
            for message in received:
                payload = json.loads(message.data) if message.data else None
                found[int(message.message_id)] = (dict(message.attributes), payload)
        return [found[number] for number in sorted(found)]

    def _pull(self) -> list[PubsubMessage]:
        try:
            pulled = self._subscriber.pull(subscription=self._subscription, max_messages=1000, timeout=1, retry=None)
        except DeadlineExceeded:
            return []
        received = pulled.received_messages
        if received:
            self._subscriber.acknowledge(subscription=self._subscription, ack_ids=[one.ack_id for one in received])
        return [one.message for one in received]


@dataclass
class Told:
    bucket: storage.Bucket
    listener: Listener


@pytest.fixture(scope="module")
def server(pubsub_host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    with StorageServer(tmp_path_factory.mktemp("storage"), "--pubsub", pubsub_host) as server:
        yield server


@pytest.fixture
def told(server: StorageServer, pubsub_host: str) -> Told:
    return Told(storage_client(server.url).create_bucket(f"test-{uuid.uuid4().hex}"), Listener(pubsub_host))


def notify(told: Told, **wanted: Any) -> None:
    notification = told.bucket.notification(told.listener.topic, PROJECT, **wanted)
    notification.create()


def test_notifications_are_made_found_listed_and_deleted(told: Told) -> None:
    notify(
        told,
        blob_name_prefix="runs/",
        event_types=["OBJECT_FINALIZE"],
        custom_attributes={"a": "b"},
        payload_format="NONE",
    )
    [found] = told.bucket.list_notifications()
    assert (found.topic_name, found.topic_project) == (told.listener.topic, PROJECT)
    assert (found.blob_name_prefix, found.event_types) == ("runs/", ["OBJECT_FINALIZE"])
    assert (found.custom_attributes, found.payload_format) == ({"a": "b"}, "NONE")
    assert told.bucket.get_notification(found.notification_id).blob_name_prefix == "runs/"
    assert not told.bucket.notification(told.listener.topic, notification_id="77").exists()
    found.delete()
    assert list(told.bucket.list_notifications()) == []


def test_an_event_says_what_cloud_storage_says(told: Told) -> None:
    notify(told, payload_format="JSON_API_V1", custom_attributes={"mine": "too"})
    blob = told.bucket.blob("runs/an é.yaml")
    blob.upload_from_string(b"data", content_type="application/yaml")
    [(attributes, payload)] = told.listener.events(1)
    assert attributes.pop("eventTime").endswith("Z")
    assert attributes == {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": told.bucket.name,
        "objectId": "runs/an é.yaml",
        "objectGeneration": str(blob.generation),
        "notificationConfig": f"projects/_/buckets/{told.bucket.name}/notificationConfigs/1",
        "mine": "too",
    }
    assert (payload["name"], payload["size"], payload["md5Hash"]) == (blob.name, "4", blob.md5_hash)
    assert payload["selfLink"] == blob.self_link


def test_everything_that_happens_is_told(told: Told) -> None:
    notify(told, payload_format="NONE")
    first, second = told.bucket.blob("object"), told.bucket.blob("object")
    first.upload_from_string(b"one")
    second.upload_from_string(b"two")
    second.metadata = {"a": "b"}
    second.patch()
    second.delete()
    happened = told.listener.events(5)
    assert [(event["eventType"], payload) for event, payload in happened] == [
        ("OBJECT_FINALIZE", None),
        ("OBJECT_DELETE", None),
        ("OBJECT_FINALIZE", None),
        ("OBJECT_METADATA_UPDATE", None),
        ("OBJECT_DELETE", None),
    ]
    assert happened[1][0]["overwrittenByGeneration"] == str(second.generation)
    assert happened[2][0]["overwroteGeneration"] == str(first.generation)


def test_a_versioned_bucket_archives(told: Told) -> None:
    told.bucket.versioning_enabled = True
    told.bucket.patch()
    notify(told, event_types=["OBJECT_ARCHIVE", "OBJECT_DELETE"])
    for data in (b"one", b"two"):
        told.bucket.blob("object").upload_from_string(data)
    told.bucket.delete_blob("object")
    assert [event["eventType"] for event, _ in told.listener.events(2)] == ["OBJECT_ARCHIVE"] * 2


def test_only_what_is_asked_for_is_told_and_every_way_of_writing_counts(told: Told) -> None:
    notify(told, event_types=["OBJECT_FINALIZE"], blob_name_prefix="runs/")
    bucket = told.bucket
    source = bucket.blob("elsewhere/runs/1")
    source.upload_from_string(b"x")
    with bucket.blob("runs/stream").open("wb") as file:
        file.write(b"x")
    bucket.copy_blob(source, bucket, "runs/copy")
    bucket.blob("runs/rewrite").rewrite(source)
    bucket.blob("runs/composed").compose([source, source])
    bucket.move_blob(source, "runs/moved")
    bucket.delete_blob("runs/copy")
    written = ["runs/stream", "runs/copy", "runs/rewrite", "runs/composed", "runs/moved"]
    assert [event["objectId"] for event, _ in told.listener.events(5)] == written


@pytest.mark.slow
def test_events_outlive_a_pubsub_that_is_away_and_a_server_that_is_killed(tmp_path: Path) -> None:
    with closing(Ports()) as ports:
        port = ports.reserve()
        with StorageServer(tmp_path, "--pubsub", f"127.0.0.1:{port}") as server:
            bucket = storage_client(server.url).create_bucket("bucket")
            bucket.notification("config-dropped", PROJECT).create()
            names = [f"object-{number:03}" for number in range(150)]
            for name in names:
                bucket.blob(name).upload_from_string(b"x")
            server.stop(signal.SIGKILL)
            server.start()
            with running(jars(), "pubsub", port) as pubsub:
                events = Listener(pubsub, "config-dropped").events(len(names))
                assert [event["objectId"] for event, _ in events] == names
