"""What Terraform would make on Google Cloud, in each environment, held against the project's rules.

Each rule is a test of a plan. test_mutations.py breaks the configuration and shows that the rule's test fails.
"""

import base64
import json
import re
from pathlib import Path

import pytest
import yaml
from planned import Planned, Resource, one_of, variables_of

from deploy.topology import topology
from shared.bus import Message, event_in
from shared.events import MonitorDue

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DEPLOYABLES = yaml.safe_load((ROOT / "deploy" / "deployables.yaml").read_text())
FRONT = {name for name, one in DEPLOYABLES["services"].items() if one["paths"]}
PRIMITIVE = {"roles/owner", "roles/editor", "roles/viewer"}
ANYBODY = {"allUsers", "allAuthenticatedUsers"}
SECRET = re.compile(r"KEY|SECRET|PASSWORD|TOKEN$|CREDENTIAL")
RESERVED_CONNECTIONS = 10
"""For migrations, for people, and for what Cloud SQL itself takes."""


def member(planned: Planned, account: str) -> str:
    return f"serviceAccount:{account}@{planned.variables['project']}.iam.gserviceaccount.com"


def containers(one: Resource) -> list[dict[str, object]]:
    template = one_of(one.values["template"])
    return (one_of(template["template"]) if "template" in template else template)["containers"]


def test_edges_are_those_of_the_topology(planned: Planned) -> None:
    graph = topology()
    letters = graph.dead_letter_edge()
    made = set(planned.by_name("google_pubsub_subscription")) - {"secret-rotation--operator"}
    wanted = {*graph.edges(), *graph.service_edges(), *graph.pull_edges(), f"{letters.topic}--{letters.function}"}
    assert made == wanted


def test_topics_are_those_of_the_topology(planned: Planned) -> None:
    graph = topology()
    made = set(planned.by_name("google_pubsub_topic")) - {"secret-rotation"}
    assert made == {*graph.topics, graph.dead_letters.topic}


def test_every_subscription_has_a_dead_letter_topic(planned: Planned) -> None:
    letters = topology().dead_letters
    lacking = [
        name
        for name, one in planned.by_name("google_pubsub_subscription").items()
        if not one.values["dead_letter_policy"] and name != f"{letters.topic}--{letters.function}"
    ]
    assert lacking == []


def test_the_dead_letter_topic_has_a_subscription(planned: Planned) -> None:
    letters = topology().dead_letters
    assert f"{letters.topic}--{letters.function}" in planned.by_name("google_pubsub_subscription")


def test_pubsub_itself_may_move_every_dead_letter(planned: Planned) -> None:
    agent = f"serviceAccount:service-{planned.variables['project_number']}@gcp-sa-pubsub.iam.gserviceaccount.com"
    taking = {
        one.values["subscription"]
        for one, role, who in planned.members()
        if role == "roles/pubsub.subscriber" and who == agent
    }
    dying = {
        name for name, one in planned.by_name("google_pubsub_subscription").items() if one.values["dead_letter_policy"]
    }
    publishing = [one.values["topic"] for one, role, who in planned.members() if "publisher" in role and who == agent]
    assert taking == dying
    assert publishing == [topology().dead_letters.topic]


def test_every_push_is_signed_for_its_subscriber(planned: Planned) -> None:
    unsigned = []
    for name, one in planned.by_name("google_pubsub_subscription").items():
        if push := one_of(one.values["push_config"]):
            token = one_of(push["oidc_token"])
            if token.get("service_account_email") != member(planned, "push").partition(":")[2]:
                unsigned.append(name)
            elif token["audience"] != name.rpartition("--")[2]:
                unsigned.append(name)
    assert unsigned == []


def test_every_push_is_let_in(planned: Planned) -> None:
    subscribers = {
        name.rpartition("--")[2]
        for name, one in planned.by_name("google_pubsub_subscription").items()
        if one.values["push_config"]
    }
    invoked = {
        one.values["name"]
        for one, role, who in planned.members()
        if role == "roles/run.invoker" and who == member(planned, "push")
    }
    assert invoked == subscribers


def test_pushes_wait_as_long_as_the_topology_lets_them_work(planned: Planned) -> None:
    graph = topology()
    wanted = {f"{one.trigger}--{name}": one.timeout_s for name, one in graph.deployed().items()}
    wanted |= {
        f"{edge.topic}--{edge.service}": graph.services[edge.service].timeout_s
        for edge in graph.service_edges().values()
    }
    wanted |= {name: pull.timeout_s for name, pull in graph.pull_edges().items()}
    made = {
        name: one.values.get("ack_deadline_seconds")
        for name, one in planned.by_name("google_pubsub_subscription").items()
        if name != "secret-rotation--operator"
    }
    assert made == wanted


def test_whoever_publishes_a_topic_may_and_nobody_else_of_ours(planned: Planned) -> None:
    graph = topology()
    wanted = {(topic, name) for name, one in graph.functions.items() for topic in one.publishes}
    for kind in ("services", "jobs", "machines"):
        wanted |= {(topic, name) for name, one in DEPLOYABLES[kind].items() for topic in one["publishes"]}
    own = f"@{planned.variables['project']}.iam.gserviceaccount.com"
    granted = {
        (one.values["topic"], who.removeprefix("serviceAccount:").removesuffix(own))
        for one, role, who in planned.members()
        if one.type == "google_pubsub_topic_iam_member" and who.endswith(own)
    }
    assert granted == wanted


def test_whoever_pulls_a_subscription_may(planned: Planned) -> None:
    granted = {
        (one.values["subscription"], who)
        for one, role, who in planned.members()
        if one.type == "google_pubsub_subscription_iam_member"
        and not who.endswith("gcp-sa-pubsub.iam.gserviceaccount.com")
    }
    assert granted == {(name, member(planned, name.rpartition("--")[2])) for name in topology().pull_edges()}


def test_nothing_is_public_but_the_front_door(planned: Planned) -> None:
    services = planned.by_name("google_cloud_run_v2_service")
    reachable = {name for name, one in services.items() if one.values["ingress"] != "INGRESS_TRAFFIC_INTERNAL_ONLY"}
    open_to_all = {name for name, one in services.items() if one.values["invoker_iam_disabled"]}
    behind = {one.values["ingress"] for name, one in services.items() if name in FRONT}
    assert reachable == open_to_all == FRONT
    assert behind == {"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}
    assert [one.address for one, _, who in planned.members() if who in ANYBODY] == []


def test_the_front_door_leads_to_what_the_services_say_and_to_nothing_else(planned: Planned) -> None:
    (matched,) = planned.by_name("google_compute_url_map").values()
    (matcher,) = matched.values["path_matcher"]
    paths = {path for rule in matcher["path_rule"] for path in rule["paths"]}
    wanted = {path for one in DEPLOYABLES["services"].values() for path in one["paths"]}
    assert paths == wanted | {f"{path}/*" for path in wanted}
    unnamed = one_of(one_of(matcher["default_route_action"]).get("fault_injection_policy"))
    assert one_of(unnamed.get("abort")) == {
        "http_status": 404,
        "percentage": 100,
    }


def test_every_call_between_services_is_allowed(planned: Planned) -> None:
    invoked = {(who, one.values["name"]) for one, role, who in planned.members() if role == "roles/run.invoker"} - {
        (member(planned, "push"), name) for name in planned.by_name("google_cloud_run_v2_service")
    }
    wanted = {
        (member(planned, name), called) for name, one in DEPLOYABLES["services"].items() for called in one["calls"]
    }
    assert invoked == wanted


def test_services_reach_each_other_through_the_network(planned: Planned) -> None:
    outside = [
        name
        for name, one in planned.by_name("google_cloud_run_v2_service").items()
        if name in DEPLOYABLES["services"]
        and one_of(one_of(one.values["template"])["vpc_access"]).get("egress") != "ALL_TRAFFIC"
    ]
    assert outside == []


def test_no_machine_has_an_external_address(planned: Planned) -> None:
    addressed = [
        one.address
        for one in planned.all("google_compute_instance_template", "google_compute_instance")
        for interface in one.values["network_interface"]
        if interface["access_config"] or interface.get("ipv6_access_config")
    ]
    assert addressed == []
    assert not one_of(next(planned.all("google_sql_database_instance")).values["settings"])["ip_configuration"][0][
        "ipv4_enabled"
    ]


def test_no_rule_lets_the_world_in(planned: Planned) -> None:
    rules = list(planned.all("google_compute_firewall"))
    assert rules
    assert [
        one.address
        for one in rules
        if one.values["allow"] and {"0.0.0.0/0", "::/0"} & set(one.values["source_ranges"] or ["0.0.0.0/0"])
    ] == []


def test_nobody_has_a_primitive_role(planned: Planned) -> None:
    assert [one.address for one, role, _ in planned.members() if role in PRIMITIVE] == []


def test_no_service_account_has_a_key(planned: Planned) -> None:
    assert list(planned.all("google_service_account_key")) == []


def test_every_deployable_has_an_account_of_its_own(planned: Planned) -> None:
    used = [one_of(one.values["template"])["service_account"] for one in planned.all("google_cloud_run_v2_service")]
    used += [
        one_of(one_of(one.values["template"])["template"])["service_account"]
        for one in planned.all("google_cloud_run_v2_job")
    ]
    used += [one_of(one.values["service_account"])["email"] for one in planned.all("google_compute_instance_template")]
    assert len(used) == len(set(used)) == len(list(planned.all("google_service_account"))) - 1


def test_secrets_are_never_in_plain_variables(planned: Planned) -> None:
    plain = [
        f"{one.address}: {name}"
        for one in planned.all("google_cloud_run_v2_service", "google_cloud_run_v2_job")
        for container in containers(one)
        for name, variable in variables_of(container).items()
        if SECRET.search(name) and variable["value"]
    ]
    assert plain == []
    assert list(planned.all("google_secret_manager_secret_version")) == []


def test_secrets_are_read_by_their_readers_alone(planned: Planned) -> None:
    granted = {
        (one.values["secret_id"], who)
        for one, role, who in planned.members()
        if role == "roles/secretmanager.secretAccessor"
    }
    assert granted == {
        (secret, member(planned, reader)) for secret, readers in DEPLOYABLES["secrets"].items() for reader in readers
    }


def test_connections_of_all_instances_fit_into_the_database(planned: Planned) -> None:
    flags = one_of(next(planned.all("google_sql_database_instance")).values["settings"])["database_flags"]
    most = int(next(one["value"] for one in flags if one["name"] == "max_connections"))
    wanted = 0
    for one in planned.all("google_cloud_run_v2_service"):
        pool = variables_of(containers(one)[0]).get("FITSENSE_DATABASE_POOL")
        if pool:
            wanted += int(pool["value"]) * one_of(one.values["scaling"])["max_instance_count"]
    assert 0 < wanted <= most - RESERVED_CONNECTIONS


def test_buckets_are_private_and_keep_what_the_topology_says(planned: Planned) -> None:
    made = list(planned.all("google_storage_bucket"))
    assert made
    assert all(one.values["uniform_bucket_level_access"] for one in made)
    assert {one.values["public_access_prevention"] for one in made} == {"enforced"}
    versioned = {one.values["name"].rpartition("-")[2]: one_of(one.values["versioning"])["enabled"] for one in made}
    graph = topology().buckets
    assert versioned == {"artifacts": graph.artifacts.versioning, "configs": graph.configs.versioning}


def test_an_object_that_is_dropped_is_told_of_on_its_topic(planned: Planned) -> None:
    dropped = topology().buckets.configs.notification
    (made,) = planned.all("google_storage_notification")
    assert dropped is not None
    assert made.values["object_name_prefix"] == dropped.prefix
    assert made.values["event_types"] == ["OBJECT_FINALIZE"]


def test_what_the_clock_sends_is_an_event_that_its_topic_takes(planned: Planned) -> None:
    sent = {}
    for name, one in planned.by_name("google_cloud_scheduler_job").items():
        topic = DEPLOYABLES["schedules"][name]["topic"]
        data = base64.b64decode(one_of(one.values["pubsub_target"])["data"])
        sent[name] = event_in(Message(topic, data, {}))
    assert sent == {"monitor": MonitorDue(schedule="monitor")}


def test_enumerations_are_ones_that_google_knows(planned: Planned) -> None:
    known = {
        ("google_cloud_run_v2_service", "ingress"): {
            "INGRESS_TRAFFIC_INTERNAL_ONLY",
            "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        },
        ("google_compute_firewall", "direction"): {"INGRESS", "EGRESS"},
        ("google_firestore_database", "type"): {"FIRESTORE_NATIVE", "DATASTORE_MODE"},
        ("google_sql_database_instance", "database_version"): {"POSTGRES_16", "POSTGRES_17"},
        ("google_storage_bucket", "public_access_prevention"): {"enforced", "inherited"},
        ("google_compute_backend_service", "load_balancing_scheme"): {"EXTERNAL_MANAGED"},
        ("google_compute_global_forwarding_rule", "load_balancing_scheme"): {"EXTERNAL_MANAGED"},
        ("google_monitoring_alert_policy", "severity"): {"CRITICAL", "ERROR", "WARNING"},
        ("google_monitoring_alert_policy", "combiner"): {"AND", "OR"},
    }
    for (type_, field), allowed in known.items():
        found = {one.values[field] for one in planned.all(type_)}
        assert found, type_
        assert found <= allowed, (type_, field)


def test_a_connector_and_direct_egress_are_never_both(planned: Planned) -> None:
    for one in planned.all("google_cloud_run_v2_service", "google_cloud_run_v2_job"):
        template = one_of(one.values["template"])
        access = one_of((one_of(template["template"]) if "template" in template else template)["vpc_access"])
        assert not (access.get("connector") and access.get("network_interfaces"))


def test_somebody_hears_of_every_alert(planned: Planned) -> None:
    assert len(list(planned.all("google_monitoring_notification_channel"))) >= 1
    assert [
        one.address
        for one in planned.all("google_monitoring_alert_policy")
        if not one.values["documentation"] or not one_of(one.values["documentation"])["links"]
    ] == []


def test_dashboards_are_whole(planned: Planned) -> None:
    for one in planned.all("google_monitoring_dashboard"):
        board = json.loads(one.values["dashboard_json"])
        places = [(tile["xPos"], tile["yPos"]) for tile in board["mosaicLayout"]["tiles"]]
        assert len(places) == len(set(places)) >= 5
        for tile in board["mosaicLayout"]["tiles"]:
            assert tile["xPos"] + tile["width"] <= board["mosaicLayout"]["columns"]
            assert all(line["timeSeriesQuery"]["prometheusQuery"] for line in tile["widget"]["xyChart"]["dataSets"])


def test_what_serves_people_is_protected_and_doubled_where_people_are(planned: Planned) -> None:
    database = next(planned.all("google_sql_database_instance"))
    careful = planned.environment != "dev"
    assert database.values["deletion_protection"] == careful
    assert one_of(database.values["settings"])["availability_type"] == (
        "REGIONAL" if planned.environment == "prod" else "ZONAL"
    )
    assert all(
        bool(one.values["binary_authorization"]) == careful for one in planned.all("google_cloud_run_v2_service")
    )


def test_the_database_says_who_came_and_what_changed_and_not_what_people_said(planned: Planned) -> None:
    settings = one_of(next(planned.all("google_sql_database_instance")).values["settings"])
    flags = {one["name"]: one["value"] for one in settings["database_flags"]}
    assert one_of(settings["ip_configuration"])["ssl_mode"] == "ENCRYPTED_ONLY"
    assert {flags[f"log_{one}"] for one in ("checkpoints", "connections", "disconnections", "lock_waits")} == {"on"}
    assert flags["cloudsql.enable_pgaudit"] == flags["cloudsql.iam_authentication"] == "on"
    assert flags["log_statement"] == "ddl"
    assert flags["log_min_duration_statement"] == "-1"
