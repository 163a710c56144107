"""The topology as Pub/Sub has it."""

import pytest

from deploy.local.provision import push_endpoint, wanted_subscription, wanted_subscriptions
from deploy.topology import Edge, topology

EDGES = list(topology().edges().values())


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.function)
def test_a_phase_is_pushed_to_with_its_own_deadline_and_gives_up_into_the_dead_letters(edge: Edge) -> None:
    graph = topology()
    wanted = wanted_subscription(graph, "p", edge, {edge.function: 8080})
    assert wanted.name == f"projects/p/subscriptions/{edge.topic}--{edge.function}"
    assert wanted.topic == f"projects/p/topics/{edge.topic}"
    assert wanted.push_config.push_endpoint == f"http://127.0.0.1:8080/projects/p/topics/{edge.topic}"
    assert wanted.ack_deadline_seconds == graph.functions[edge.function].timeout_s
    assert wanted.dead_letter_policy.dead_letter_topic == "projects/p/topics/dead-letters"
    assert wanted.dead_letter_policy.max_delivery_attempts == graph.retry.emulator_max_delivery_attempts


def test_dead_letters_have_no_dead_letters() -> None:
    graph = topology()
    wanted = wanted_subscription(graph, "p", graph.dead_letter_edge(), {"dead-letters": 8080})
    assert wanted.name == "projects/p/subscriptions/dead-letters--dead-letters"
    assert not wanted.dead_letter_policy.dead_letter_topic
    assert wanted.push_config.push_endpoint == push_endpoint("p", "dead-letters", 8080)


def test_services_that_run_are_pushed_to_at_their_paths_and_who_asks_has_a_subscription() -> None:
    wanted = {one.name.rpartition("/")[2]: one for one in wanted_subscriptions(topology(), "p", {"logging": 8081})}
    assert set(wanted) == {"ai-interaction--logging", "model-promoted--vllm-vm"}
    assert wanted["ai-interaction--logging"].push_config.push_endpoint == "http://127.0.0.1:8081/events/ai-interaction"
    assert wanted["model-promoted--vllm-vm"].push_config.push_endpoint == ""
    assert all(one.dead_letter_policy.dead_letter_topic == "projects/p/topics/dead-letters" for one in wanted.values())


def test_a_function_that_runs_has_its_subscription() -> None:
    graph = topology()
    wanted = wanted_subscriptions(graph, "p", dict.fromkeys(graph.deployed(), 8080))
    assert len(wanted) == len(graph.deployed()) + len(graph.pulls)
