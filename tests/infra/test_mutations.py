"""The rules of the plan can fail: a configuration that breaks one makes that rule's test fail."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import test_grants as grants
import test_plan as rules
from planned import Planned, Plans

pytestmark = pytest.mark.slow

MODULES = "deploy/terraform/modules"


def without_block(text: str, opening: str) -> str:
    """Remove the first block that begins with a line, up to the brace that closes it."""
    start = text.index(opening)
    depth, position = 0, start
    while True:
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        position += 1
        if depth == 0 and text[position - 1] == "}":
            return text[:start] + text[position:]


def remove(opening: str) -> Callable[[str], str]:
    return lambda text: without_block(text, opening)


def replace(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def substitute(pattern: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert re.search(pattern, text)
        return re.sub(pattern, new, text, count=1)

    return change


MUTATIONS = {
    "a dead-letter block": (
        f"{MODULES}/events/main.tf",
        remove("  dead_letter_policy {"),
        rules.test_every_subscription_has_a_dead_letter_topic,
    ),
    "the dead-letter topic's subscription": (
        f"{MODULES}/events/main.tf",
        remove('resource "google_pubsub_subscription" "dead_letters" {'),
        rules.test_the_dead_letter_topic_has_a_subscription,
    ),
    "an OIDC token": (
        f"{MODULES}/events/main.tf",
        remove("    oidc_token {"),
        rules.test_every_push_is_signed_for_its_subscriber,
    ),
    "Pub/Sub's right to move dead letters": (
        f"{MODULES}/events/main.tf",
        remove('resource "google_pubsub_subscription_iam_member" "dead_letters" {'),
        rules.test_pubsub_itself_may_move_every_dead_letter,
    ),
    "the pushes' right to call functions": (
        f"{MODULES}/stack/main.tf",
        substitute(r"invokers +=.*\{ push = module\.identities\.members\.push \}\n", "invokers = {}\n"),
        rules.test_every_push_is_let_in,
    ),
    "every right to call": (
        f"{MODULES}/run_service/main.tf",
        remove('resource "google_cloud_run_v2_service_iam_member" "invoker" {'),
        rules.test_every_call_between_services_is_allowed,
    ),
    "the right to publish": (
        f"{MODULES}/events/main.tf",
        remove('resource "google_pubsub_topic_iam_member" "publisher" {'),
        rules.test_whoever_publishes_a_topic_may_and_nobody_else_of_ours,
    ),
    "the right to pull": (
        f"{MODULES}/events/main.tf",
        remove('resource "google_pubsub_subscription_iam_member" "puller" {'),
        rules.test_whoever_pulls_a_subscription_may,
    ),
    "the right to read secrets": (
        f"{MODULES}/secrets/main.tf",
        remove('resource "google_secret_manager_secret_iam_member" "reader" {'),
        rules.test_secrets_are_read_by_their_readers_alone,
    ),
    "an ack deadline": (
        f"{MODULES}/events/main.tf",
        substitute(r"  ack_deadline_seconds +=.*\n", ""),
        rules.test_pushes_wait_as_long_as_the_topology_lets_them_work,
    ),
    "a service's isolation": (
        f"{MODULES}/run_service/main.tf",
        replace('"INGRESS_TRAFFIC_INTERNAL_ONLY"', '"INGRESS_TRAFFIC_ALL"'),
        rules.test_nothing_is_public_but_the_front_door,
    ),
    "the 404 of what no path names": (
        f"{MODULES}/front_door/main.tf",
        remove("    default_route_action {"),
        rules.test_the_front_door_leads_to_what_the_services_say_and_to_nothing_else,
    ),
    "the machine's privacy": (
        f"{MODULES}/vllm_vm/main.tf",
        replace("    subnetwork = var.subnetwork\n", "    subnetwork = var.subnetwork\n    access_config {}\n"),
        rules.test_no_machine_has_an_external_address,
    ),
    "the firewall": (
        f"{MODULES}/network/main.tf",
        replace('["35.235.240.0/20"]', '["0.0.0.0/0"]'),
        rules.test_no_rule_lets_the_world_in,
    ),
    "room for connections": (
        "deploy/terraform/envs/dev/terraform.tfvars",
        substitute(r"max_connections = \d+", "max_connections = 25"),
        rules.test_connections_of_all_instances_fit_into_the_database,
    ),
    "a secret's secrecy": (
        "deploy/deployables.yaml",
        replace("    FITSENSE_TRACES_URL:", "    FITSENSE_SIGNING_KEY: in plain text\n    FITSENSE_TRACES_URL:"),
        rules.test_secrets_are_never_in_plain_variables,
    ),
    "a role in the project": (
        f"{MODULES}/stack/main.tf",
        replace('concat(["roles/datastore.user"], one.roles)', "one.roles"),
        grants.test_in_the_project_each_account_may_what_its_kind_needs,
    ),
    "the right to create artifacts": (
        f"{MODULES}/stack/main.tf",
        substitute(r'      "roles/storage.objectCreator" = .*\n', ""),
        grants.test_phases_read_and_create_artifacts_and_only_the_trainer_may_change_any,
    ),
    "the clock's right to publish": (
        f"{MODULES}/schedule/main.tf",
        remove('resource "google_pubsub_topic_iam_member" "this" {'),
        grants.test_googles_own_agents_may_publish_what_they_tell,
    ),
    "a group of settings": (
        f"{MODULES}/stack/main.tf",
        replace(
            'concat(["core"], one.settings) },\n    { for name, one in local.services',
            "one.settings },\n    { for name, one in local.services",
        ),
        grants.test_each_process_is_told_its_settings_and_nothing_else,
    ),
    "an edge": (
        f"{MODULES}/topology/outputs.tf",
        replace("merge(local.function_edges, local.service_edges)", "local.function_edges"),
        rules.test_edges_are_those_of_the_topology,
    ),
    "the buckets' privacy": (
        f"{MODULES}/storage/main.tf",
        replace('"enforced"', '"inherited"'),
        rules.test_buckets_are_private_and_keep_what_the_topology_says,
    ),
}


@pytest.fixture(scope="session")
def whole(plan_of: Plans, configuration: Path) -> Planned:
    return plan_of("dev", configuration)


@pytest.mark.parametrize("removed", MUTATIONS)
def test_the_rule_fails_without(
    removed: str, configuration: Path, plan_of: Plans, whole: Planned, tmp_path: Path
) -> None:
    file, change, rule = MUTATIONS[removed]
    rule(whole)
    broken = tmp_path / "broken"
    shutil.copytree(configuration, broken)
    path = broken / file
    path.write_text(change(path.read_text()))
    with pytest.raises(AssertionError):
        rule(plan_of("dev", broken))
