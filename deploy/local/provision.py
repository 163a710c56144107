"""Provision: the topology's topics, subscriptions and buckets, on emulators that begin with nothing.

Every function here may be called again, and then changes what is different.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import grpc
import requests
from google.api_core.exceptions import AlreadyExists, GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.storage.exceptions import InvalidResponse
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, Subscription

from deploy.local.ports import HOST
from deploy.topology import Bucket, Edge, ServiceEdge, Topology, subscription_id
from shared.errors import Unavailable

CALL_S = 5.0
AT_ONCE = 8


def provision_events(graph: Topology, project: str, pubsub: str, ports: Mapping[str, int]) -> None:
    """Make every topic, a push subscription for each function and service that has a port, and those for pulls.

    `pubsub` is HOST:PORT. Raises Unavailable as long as Pub/Sub does not answer.
    """
    with _unavailable("Pub/Sub"), grpc.insecure_channel(pubsub) as channel, ThreadPoolExecutor(AT_ONCE) as threads:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        topics = [f"projects/{project}/topics/{name}" for name in (*graph.topics, graph.dead_letters.topic)]
        _all(threads, [partial(_create_topic, publisher, topic) for topic in topics])
        wanted = wanted_subscriptions(graph, project, ports)
        _all(threads, [partial(_create_subscription, subscriber, one) for one in wanted])


def provision_buckets(graph: Topology, project: str, url: str, names: Mapping[str, str]) -> None:
    """Make the buckets, each under the name it has on this stack, and their notifications; raises Unavailable."""
    with _unavailable("Cloud Storage"):
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
        client = storage.Client(project, nobody, client_options={"api_endpoint": url})
        for key, bucket in (("artifacts", graph.buckets.artifacts), ("configs", graph.buckets.configs)):
            _make_bucket(client, project, names[key], bucket)


def wanted_subscriptions(graph: Topology, project: str, ports: Mapping[str, int]) -> list[Subscription]:
    """Return what the emulator is to have for the functions and services that have ports, and for who asks."""
    functions = [edge for edge in _edges(graph) if edge.function in ports]
    services = [edge for edge in graph.service_edges().values() if edge.service in ports]
    return [
        *(wanted_subscription(graph, project, edge, ports) for edge in functions),
        *(service_subscription(graph, project, edge, ports) for edge in services),
        *(pull_subscription(graph, project, name) for name in graph.pulls),
    ]


def wanted_subscription(graph: Topology, project: str, edge: Edge, ports: Mapping[str, int]) -> Subscription:
    """Return an edge as the emulator is to have it. Dead letters that fail are tried for ever: they have nowhere to go.

    Without a retry policy: with one, the emulator loses, now and then, a message that it is to deliver again.
    """
    subscription = _subscription(project, edge.topic, edge.function, graph.deployed()[edge.function].timeout_s)
    subscription.push_config = PushConfig(push_endpoint=push_endpoint(project, edge.topic, ports[edge.function]))
    if edge != graph.dead_letter_edge():
        subscription.dead_letter_policy = _dead_letters(graph, project)
    return subscription


def service_subscription(graph: Topology, project: str, edge: ServiceEdge, ports: Mapping[str, int]) -> Subscription:
    """Return a service's edge as the emulator is to have it; the emulator pushes without an identity token."""
    subscription = _subscription(project, edge.topic, edge.service, graph.services[edge.service].timeout_s)
    subscription.push_config = PushConfig(push_endpoint=f"http://{HOST}:{ports[edge.service]}{edge.path}")
    subscription.dead_letter_policy = _dead_letters(graph, project)
    return subscription


def pull_subscription(graph: Topology, project: str, name: str) -> Subscription:
    """Return the subscription of somebody who asks."""
    pull = graph.pulls[name]
    subscription = _subscription(project, pull.topic, name, pull.timeout_s)
    subscription.dead_letter_policy = _dead_letters(graph, project)
    return subscription


def _subscription(project: str, topic: str, subscriber: str, timeout_s: int) -> Subscription:
    return Subscription(
        name=f"projects/{project}/subscriptions/{subscription_id(topic, subscriber)}",
        topic=f"projects/{project}/topics/{topic}",
        ack_deadline_seconds=timeout_s,
    )


def _dead_letters(graph: Topology, project: str) -> DeadLetterPolicy:
    return DeadLetterPolicy(
        dead_letter_topic=f"projects/{project}/topics/{graph.dead_letters.topic}",
        max_delivery_attempts=graph.retry.emulator_max_delivery_attempts,
    )


def push_endpoint(project: str, topic: str, port: int) -> str:
    """Return where to push a topic: functions-framework takes the topic's name from the path."""
    return f"http://{HOST}:{port}/projects/{project}/topics/{topic}"


def _edges(graph: Topology) -> list[Edge]:
    return [*graph.edges().values(), graph.dead_letter_edge()]


def _create_topic(publisher: PublisherClient, topic: str) -> None:
    try:
        publisher.create_topic(name=topic, timeout=CALL_S, retry=None)
    except AlreadyExists:
        return


def _create_subscription(subscriber: SubscriberClient, wanted: Subscription) -> None:
    try:
        subscriber.create_subscription(request=wanted, timeout=CALL_S, retry=None)
    except AlreadyExists:
        mask = {"paths": ["push_config", "ack_deadline_seconds", "dead_letter_policy"]}
        subscriber.update_subscription(subscription=wanted, update_mask=mask, timeout=CALL_S, retry=None)


def _make_bucket(client: storage.Client, project: str, name: str, wanted: Bucket) -> None:
    bucket = client.lookup_bucket(name, timeout=CALL_S, retry=None)
    if bucket is None:
        bucket = client.create_bucket(name, timeout=CALL_S, retry=None)
    if bool(bucket.versioning_enabled) != wanted.versioning:
        bucket.versioning_enabled = wanted.versioning
        bucket.patch(timeout=CALL_S, retry=None)
    told = wanted.notification
    if told is None:
        return
    there = {(one.topic_name, one.blob_name_prefix) for one in bucket.list_notifications(timeout=CALL_S, retry=None)}
    if (told.topic, told.prefix) not in there:
        bucket.notification(
            topic_name=told.topic,
            topic_project=project,
            event_types=["OBJECT_FINALIZE"],
            blob_name_prefix=told.prefix,
            payload_format="JSON_API_V1",
        ).create(timeout=CALL_S, retry=None)


def _all(threads: ThreadPoolExecutor, calls: list[Callable[[], None]]) -> None:
    for done in [threads.submit(call) for call in calls]:
        done.result()


@contextmanager
def _unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except (GoogleAPIError, InvalidResponse, requests.RequestException) as exc:
        raise Unavailable(f"{what}: {' '.join(str(exc).split())}") from exc
