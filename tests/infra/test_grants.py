"""Who may do what, and what each process is told, in full: nothing more and nothing less than deployables.yaml says.

test_every_one.py takes each of these away in turn, and shows that a rule here or in test_plan.py fails.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from planned import Planned, variables_of
from test_plan import DEPLOYABLES, containers, member

from deploy.topology import topology

pytestmark = pytest.mark.slow

SERVICE = {"roles/datastore.user", "roles/monitoring.metricWriter", "roles/cloudtrace.agent"}
DATABASE = {"roles/cloudsql.client", "roles/cloudsql.instanceUser"}
OTHERS = {
    "trainer": {"roles/datastore.user", "roles/logging.logWriter", "roles/batch.agentReporter"},
    "migrate": DATABASE,
    "vllm-vm": {"roles/datastore.user", "roles/logging.logWriter", "roles/monitoring.metricWriter"},
}
"""Roles in the project of what is neither a function nor a service."""
READERS_BESIDE_FUNCTIONS = {"vllm-vm", "inference-router"}


def functions(having: str) -> set[str]:
    return {name for name, one in DEPLOYABLES["functions"].items() if one.get(having)}


def granted(planned: Planned, type_: str, field: str) -> set[tuple[str, str, str]]:
    """Return the bindings of a type: on what, which role, to whom."""
    return {
        (one.values.get(field, ""), role, who)
        for one, role, who in planned.members()
        if one.type == f"{type_}_iam_member"
    }


def test_in_the_project_each_account_may_what_its_kind_needs(planned: Planned) -> None:
    wanted = {name: {"roles/datastore.user"} for name in topology().deployed()} | OTHERS
    for name, one in DEPLOYABLES["functions"].items():
        wanted[name] = wanted[name] | set(one.get("roles", ()))
    for name, one in DEPLOYABLES["services"].items():
        wanted[name] = SERVICE | (DATABASE if "database" in one["settings"] else set())
    found = {(role, who) for _, role, who in granted(planned, "google_project", "project")}
    assert found == {(role, member(planned, name)) for name, roles in wanted.items() for role in roles}


def test_only_whoever_starts_trainings_acts_as_the_trainer(planned: Planned) -> None:
    found = [(role, who) for _, role, who in granted(planned, "google_service_account", "service_account_id")]
    assert found == [("roles/iam.serviceAccountUser", member(planned, name)) for name in functions("acts_as")]


def test_the_trainer_is_run_and_looked_at_by_those_who_do(planned: Planned) -> None:
    launching, looking = functions("launches"), functions("launches") | functions("watches")
    wanted = {("trainer", "roles/run.jobsExecutorWithOverrides", member(planned, name)) for name in launching}
    wanted |= {("trainer", "roles/run.viewer", member(planned, name)) for name in looking}
    assert granted(planned, "google_cloud_run_v2_job", "name") == wanted


def test_phases_read_and_create_artifacts_and_only_the_trainer_may_change_any(planned: Planned) -> None:
    artifacts, configs = (f"{planned.variables['project']}-{name}" for name in ("artifacts", "configs"))
    phases = set(topology().deployed())
    wanted = {
        (artifacts, "roles/storage.objectViewer", member(planned, name)) for name in phases | READERS_BESIDE_FUNCTIONS
    }
    wanted |= {(artifacts, "roles/storage.objectCreator", member(planned, name)) for name in phases}
    wanted |= {(artifacts, "roles/storage.objectUser", member(planned, "trainer"))}
    wanted |= {(configs, "roles/storage.objectUser", member(planned, name)) for name in functions("writes_configs")}
    assert granted(planned, "google_storage_bucket", "bucket") == wanted


def test_googles_own_agents_may_publish_what_they_tell(planned: Planned) -> None:
    number = planned.variables["project_number"]
    agents = {
        "gs-project-accounts": 1,  # that a config was dropped
        "gcp-sa-cloudscheduler": len(DEPLOYABLES["schedules"]),
        "gcp-sa-cloudbatch": 1,  # that a job has ended
        "gcp-sa-secretmanager": 1,  # that a secret is due
        "gcp-sa-pubsub": 1,  # dead letters
    }
    publishing = [who for _, role, who in planned.members() if role == "roles/pubsub.publisher"]
    found = {
        agent: publishing.count(f"serviceAccount:service-{number}@{agent}.iam.gserviceaccount.com") for agent in agents
    }
    assert found == agents
    # Only Google knows the log sink's own identity, once there is a sink.
    assert publishing.count("") == len(list(planned.all("google_logging_project_sink"))) == 1


def groups_of(name: str) -> list[str]:
    for kind in ("services", "jobs", "machines"):
        if name in DEPLOYABLES[kind]:
            found: list[str] = DEPLOYABLES[kind][name]["settings"]
            return found if kind != "services" else ["core", *found]
    return ["core", *DEPLOYABLES["functions"].get(name, {}).get("settings", ())]


def told(planned: Planned, name: str) -> dict[str, Any]:
    """Return what a deployable is told: by variable, the value; None of one that only Terraform knows."""
    plain = {key: value for group in groups_of(name) for key, value in DEPLOYABLES["settings"][group].items()}
    literal = {key: value if isinstance(value, str) else value.get(planned.environment) for key, value in plain.items()}
    return literal | {key: None for key in secrets_of(name)}


def secrets_of(name: str) -> dict[str, str]:
    return {readers[name]: id_ for id_, readers in DEPLOYABLES["secrets"].items() if name in readers}


def test_each_process_is_told_its_settings_and_nothing_else(planned: Planned) -> None:
    for one in planned.all("google_cloud_run_v2_service", "google_cloud_run_v2_job"):
        name = one.values["name"]
        wanted, found = told(planned, name), variables_of(containers(one)[0])
        assert set(found) == set(wanted), name
        assert {key: found[key]["value"] for key, value in wanted.items() if value is not None} == {
            key: value for key, value in wanted.items() if value is not None
        }, name
        # A setting without a value would be one that is not told.
        assert [key for key in wanted if key not in secrets_of(name) and found[key].get("value") is None] == [], name


def test_the_machine_is_told_its_settings_and_nothing_else(planned: Planned) -> None:
    (template,) = planned.all("google_compute_instance_template")
    metadata, project = template.values["metadata"], planned.variables["project"]
    plain = dict(line.split("=", 1) for line in metadata["fitsense-variables"].splitlines())
    wanted = {key: value for key, value in told(planned, "vllm-vm").items() if key not in secrets_of("vllm-vm")}
    assert set(plain) == set(wanted)
    assert {key: plain[key] for key, value in wanted.items() if value is not None} == {
        key: value for key, value in wanted.items() if value is not None
    }
    assert metadata["fitsense-secrets"].splitlines() == [
        f"{key}=projects/{project}/secrets/{id_}" for key, id_ in sorted(secrets_of("vllm-vm").items())
    ]


def test_each_environments_own_values_differ_where_they_say_so() -> None:
    file = yaml.safe_load((Path(__file__).parents[2] / "deploy" / "deployables.yaml").read_text())
    by_environment = [
        value for group in file["settings"].values() for value in group.values() if isinstance(value, dict)
    ]
    assert [value for value in by_environment if "from" not in value and len(set(value.values())) == 1] == []
