"""Schemas, examples and topology: held against the code, so that none can drift from it."""

import ast
import json
import logging
import typing
from pathlib import Path

import pytest

from deploy.export_schemas import schemas, stale
from deploy.topology import Topology, topology
from deploy.worker import phase_function
from shared.config_text import parse_config
from shared.events import EVENTS
from shared.run_config import RunConfig

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "schemas" / "examples").glob("*.json"))


def test_committed_schemas_are_fresh() -> None:
    assert stale(schemas()) == []


def test_every_event_has_an_example() -> None:
    assert {path.name for path in EXAMPLES} == {f"{event.topic}.v1.json" for event in EVENTS}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_decodes_for_ever_and_encodes_to_itself(path: Path) -> None:
    example = json.loads(path.read_text())
    event = next(event for event in EVENTS if event.topic == path.name.removesuffix(".v1.json"))
    decoded = event.from_message(json.dumps(example["data"]).encode(), example["attributes"])
    assert json.loads(decoded.data()) == example["data"]
    assert decoded.attributes() == example["attributes"]


def test_topics_are_the_events() -> None:
    assert set(topology().topics) == {event.topic for event in EVENTS}


def test_functions_are_the_folders() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    assert set(topology().functions) == folders


@pytest.mark.parametrize("name", topology().functions)
def test_a_function_publishes_what_the_topology_says(name: str) -> None:
    tree = ast.parse("".join(path.read_text() for path in sorted((ROOT / "functions" / name).glob("*.py"))))
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


def test_a_topology_that_names_an_unknown_topic_is_refused() -> None:
    broken = topology().model_dump(mode="json")
    broken["functions"]["gate"]["trigger"] = "no-such-topic"
    with pytest.raises(ValueError, match=r"functions\.gate names topic 'no-such-topic'"):
        Topology.model_validate(broken)


@pytest.mark.parametrize("path", sorted((ROOT / "deploy" / "runs").glob("*.yaml")), ids=lambda path: path.name)
def test_the_run_configs_in_the_repository_are_right(path: Path) -> None:
    assert isinstance(parse_config(path.read_bytes()), RunConfig)
    assert path.read_text().startswith("# yaml-language-server: $schema=../../schemas/run-config.v1.json")


def test_the_standard_librarys_logging_is_not_shadowed() -> None:
    assert "services" not in str(logging.__file__)
