"""Schemas, examples and topology: held against the code, so that none can drift from it."""

import ast
import contextlib
import json
import logging
import typing
from pathlib import Path

import pytest

from deploy.export_schemas import schemas, stale
from deploy.topology import Topology, folder, topology
from deploy.worker import phase_function
from shared.bus import Message, event_in, message
from shared.config_text import parse_config
from shared.errors import Rejected
from shared.events import EVENTS, ConfigDropped, JobEnded
from shared.run_config import RunConfig

ROOT = Path(__file__).parents[2]
CAME = {
    "eventType": "OBJECT_FINALIZE",
    "bucketId": "configs",
    "objectId": "runs/small.yaml",
    "objectGeneration": "1771315799999999",
    "eventTime": "2026-02-17T08:10:00.000Z",
}
GOOGLES = {"config-dropped", "batch", "cloud-run"}
"""What marks the names of messages that Google's services write."""
EXAMPLES = sorted((ROOT / "schemas" / "examples").glob("*.json"))


def test_committed_schemas_are_fresh() -> None:
    assert stale(schemas()) == []


def test_every_event_has_an_example() -> None:
    assert {topic_of(path) for path in EXAMPLES} == {event.topic for event in EVENTS}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_decodes_for_ever_and_encodes_to_the_same_event(path: Path) -> None:
    event = event_in(example(path))
    assert event_in(message(event)) == event


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_event_of_ours_encodes_to_its_example(path: Path) -> None:
    sent = example(path)
    again = message(event_in(sent))
    if not GOOGLES.intersection(path.name.split(".")):  # which say more than we need
        assert json.loads(again.data) == json.loads(sent.data)
        assert again.attributes == sent.attributes


def example(path: Path) -> Message:
    found = json.loads(path.read_text())
    return Message(topic_of(path), json.dumps(found["data"]).encode(), found["attributes"])


def topic_of(path: Path) -> str:
    return path.name.partition(".")[0]


def test_a_drop_is_the_same_run_whoever_computes_its_id() -> None:
    told = Message("config-dropped", b'{"timeCreated": "2026-02-17T08:09:59.999Z"}', CAME)
    assert event_in(told).run_id.startswith("20260217T080959Z-")
    untold = Message("config-dropped", b"", CAME)
    assert event_in(untold).run_id.startswith("20260217T081000Z-")
    assert event_in(untold).run_id[-8:] == event_in(told).run_id[-8:]


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"timeCreated": "soon"}'])
def test_a_notification_with_a_strange_payload_is_decoded_or_rejected(payload: bytes) -> None:
    with contextlib.suppress(Rejected):
        assert event_in(Message("config-dropped", payload, CAME)).run_id.startswith("20260217T081000Z-")


@pytest.mark.parametrize(
    ("changes", "concerned"),
    [
        ({}, True),
        ({"eventType": "OBJECT_DELETE"}, False),
        ({"eventType": "OBJECT_METADATA_UPDATE"}, False),
        ({"objectId": "runs/small.yaml.error.json"}, False),
        ({"objectId": "runs/"}, False),
    ],
)
def test_only_a_config_that_came_concerns_the_pipeline(changes: dict[str, str], concerned: bool) -> None:
    assert ConfigDropped.concerns(CAME | changes) == concerned


def test_topics_are_the_events() -> None:
    assert set(topology().topics) == {event.topic for event in EVENTS}


def test_functions_are_the_folders() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    assert {folder(name) for name in topology().deployed()} == folders


@pytest.mark.parametrize("name", topology().functions)
def test_a_function_publishes_what_the_topology_says(name: str) -> None:
    tree = ast.parse("".join(path.read_text() for path in sorted((ROOT / "functions" / folder(name)).glob("*.py"))))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    made = {event.topic for event in EVENTS if event.__name__ in called}
    assert made == set(topology().functions[name].publishes)


@pytest.mark.parametrize("name", topology().functions)
def test_a_function_hears_the_event_of_its_trigger(name: str) -> None:
    work = phase_function(name)
    while hasattr(work, "__wrapped__"):
        work = work.__wrapped__
    assert typing.get_type_hints(work)["event"].topic == topology().functions[name].trigger


def test_edges_are_named_after_topic_and_function() -> None:
    edges = topology().edges()
    assert edges["run-requested--profiles"].function == "profiles"
    assert len(edges) == len(topology().functions)


def test_a_topic_may_be_heard_by_services_and_pulls_and_by_nobody_yet() -> None:
    graph = topology()
    assert graph.service_edges()["ai-interaction--logging"].path == "/events/ai-interaction"
    assert graph.pull_edges()["model-promoted--vllm-vm"].topic == "model-promoted"
    assert "training-ended" in graph.topics


@pytest.mark.parametrize("name", ["job-ended.v1.batch", "job-ended.v1.cloud-run"])
def test_whoever_tells_that_a_job_ended_tells_of_the_same_job(name: str) -> None:
    told = event_in(example(ROOT / "schemas" / "examples" / f"{name}.json"))
    assert told == event_in(example(ROOT / "schemas" / "examples" / "job-ended.v1.json"))
    assert isinstance(told, JobEnded)
    assert told.run_id == "20260217T080910Z-0a1b2c3d"


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'{"protoPayload": 3}', b'{"job": "x"}', b"[" * 100_000])
def test_a_job_that_nobody_can_name_is_rejected(payload: bytes) -> None:
    with pytest.raises(Rejected, match="not a job-ended notification: job"):
        event_in(Message("job-ended", payload, {}))


def test_a_job_that_only_begins_to_run_is_not_heard() -> None:
    assert not JobEnded.concerns({"Type": "JOB_STATE_CHANGED", "NewJobState": "RUNNING"})
    assert JobEnded.concerns({"Type": "JOB_STATE_CHANGED", "NewJobState": "FAILED"})
    assert JobEnded.concerns({})


def test_a_version_belongs_to_its_run() -> None:
    of_another = {"run_id": "20260217T080910Z-0a1b2c3d", "version": "20260217T080911Z-0a1b2c3d-00000000"}
    data = json.dumps(of_another | {"manifest_uri": ""}).encode()
    with pytest.raises(Rejected, match="is not one of run 20260217T080910Z-0a1b2c3d"):
        event_in(Message("model-evaluated", data, {}))


BROKEN = {
    "functions.gate.trigger=no-such-topic": r"functions\.gate names topic 'no-such-topic'",
    "services.plan.subscribes.no-such-topic=/x": r"services\.plan names topic 'no-such-topic'",
    "pulls.vllm-vm.topic=no-such-topic": r"pulls\.vllm-vm names topic 'no-such-topic'",
    "pulls.plan.topic=model-promoted": "plan stands in more than one of functions, services and pulls",
    "buckets.configs.notification.topic=no-such-topic": r"buckets\.configs\.notification names topic 'no-such-topic'",
    "dead_letters.topic=run-requested": r"dead_letters\.topic is 'run-requested', a topic of the pipeline",
    "dead_letters.function=gate": r"dead_letters\.function is 'gate', which functions lists too",
    "retry.local.min_backoff_s=30": r"min_backoff_s is 30, above max_backoff_s, 3",
}


@pytest.mark.parametrize(("change", "complaint"), BROKEN.items(), ids=BROKEN)
def test_a_topology_that_contradicts_itself_is_refused(change: str, complaint: str) -> None:
    broken = topology().model_dump(mode="json")
    path, _, value = change.partition("=")
    *parents, last = path.split(".")
    inner = broken
    for parent in parents:
        inner = inner.setdefault(parent, {})
    inner[last] = value
    with pytest.raises(ValueError, match=complaint):
        Topology.model_validate(broken)


def test_only_the_dead_letters_are_heard_by_a_function_that_is_no_phase() -> None:
    graph = topology()
    assert set(graph.deployed()) - set(graph.functions) == {"dead-letters"}
    assert graph.dead_letter_edge().topic not in {edge.topic for edge in graph.edges().values()}
    assert graph.deployed()["dead-letters"].trigger == "dead-letters"


@pytest.mark.parametrize("path", sorted((ROOT / "deploy" / "runs").glob("*.yaml")), ids=lambda path: path.name)
def test_the_run_configs_in_the_repository_are_right(path: Path) -> None:
    assert isinstance(parse_config(path.read_bytes()), RunConfig)
    assert path.read_text().startswith("# yaml-language-server: $schema=../../schemas/run-config.v1.json")


def test_the_standard_librarys_logging_is_not_shadowed() -> None:
    assert "services" not in str(logging.__file__)
