"""Components: the programs that each local stack is made of, and the environment by which clients find them."""

import signal
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deploy.local import postgres
from deploy.local.model_server import LocalModel
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Program
from deploy.local.readiness import answers, listens
from deploy.local.sdk import find_emulators
from deploy.local.services import LocalServices
from deploy.local.state import MARKER, LocalStackName, folder
from deploy.topology import Topology
from deploy.topology import folder as function_folder
from shared.errors import Unavailable
from shared.settings import Settings, environment

ROOT = Path(__file__).parents[2]
LEASE_S = 3
"""Deliveries of a function that was killed are taken over sooner than in the cloud: somebody is waiting."""

CLOCKED = "monitor"
"""The function that hears the clock: a stack without it has no use for one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stack is to have."""

    out: Path
    stack: LocalStackName
    graph: Topology
    functions: Collection[str]
    postgres: bool
    storage_fail_share: float
    workers: int
    public_port: int | None = None
    """Of the services' gateway; a free one where none is asked for."""
    model: bool = False
    """Whether vLLM and its agent are part of it."""


@dataclass(frozen=True, slots=True)
class Components:
    """The programs of a stack, and the environment of its clients."""

    programs: list[Program]
    environment: dict[str, str]


def components(wanted: Wanted, ports: Ports) -> Components:
    """Return what a stack is made of; raises Unavailable where this machine lacks something for it."""
    services = LocalServices(ports, wanted.public_port) if wanted.postgres else None
    made = _embedded(wanted, services) if wanted.stack == "embedded" else _emulators(wanted, ports, services)
    if services:
        port = ports.reserve()
        found = made.environment | {"FITSENSE_STACK": wanted.stack}
        made.programs.append(_postgres(wanted, port))
        model = LocalModel(ports, wanted.out) if wanted.model else None
        routing = model.router_environment() if model else {}
        made.programs.extend(services.programs(found, wanted.out, port, module_command, routing))
        if model:
            made.programs.extend(model.programs(found, python_path(), module_command("vllm_vm")))
        made.environment.update(postgres.client_environment(port) | services.client_environment())
    if CLOCKED in wanted.functions:
        made.programs.append(_clock(wanted, made.environment))
    own = {MARKER: str(folder(wanted.out)), "PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1"}
    programs = [replace(one, environment=own | dict(one.environment)) for one in made.programs]
    return Components(programs, made.environment | {"FITSENSE_OUT": str(wanted.out)})


def storage_names(settings: Settings) -> dict[str, str]:
    """Return the names that the topology's buckets have on this stack."""
    return {"artifacts": settings.artifact_bucket, "configs": settings.config_bucket}


def _embedded(wanted: Wanted, services: LocalServices | None) -> Components:
    """One process: dispatcher and workers, fed from the drop folder."""
    ready_file = folder(wanted.out) / "pipeline.ready"
    arguments = (f"--out={wanted.out}", f"--workers={wanted.workers}", f"--ready-file={ready_file}")
    pipeline = Program(
        name="pipeline",
        command=module_command("deploy.local.pipeline", *arguments),
        port=None,
        ready=partial(_exists, ready_file),
        before=partial(ready_file.unlink, missing_ok=True),
        environment=services.client_environment() if services else {},
        sources=("deploy.local.pipeline", *map(function_module, wanted.functions)),
    )
    return Components([pipeline], {"FITSENSE_STACK": "embedded"})


def _emulators(wanted: Wanted, ports: Ports, services: LocalServices | None) -> Components:
    """Google's emulators, the local Cloud Storage server, and the functions that Pub/Sub pushes to."""
    emulators = find_emulators(environment())
    settings = Settings(stack="emulators", out=wanted.out)
    pubsub, firestore, storage, jobs = (ports.reserve() for _ in range(4))
    functions = {name: ports.reserve() for name in wanted.functions}
    heard = functions | dict(services.ports if services else {})
    clients = client_environment(settings, pubsub, firestore, storage, jobs)
    programs = [
        Program(
            name="pubsub",
            command=emulators.command("pubsub", pubsub),
            port=pubsub,
            ready=partial(_provision_events, wanted.graph, settings.project, f"{HOST}:{pubsub}", heard),
        ),
        Program(
            name="firestore",
            command=emulators.command("firestore", firestore),
            port=firestore,
            ready=partial(answers, firestore, status=200),
        ),
        Program(
            name="storage",
            command=_storage_command(wanted, settings, pubsub, storage),
            port=storage,
            ready=partial(_provision_buckets, wanted.graph, settings, f"http://{HOST}:{storage}"),
            sources=("deploy.storage_server.__main__",),
        ),
        Program(
            name="jobs",
            command=module_command(
                "deploy.jobs_server", "--root", str(folder(wanted.out) / "jobs"), "--port", str(jobs)
            ),
            port=jobs,
            ready=partial(listens, jobs),
            environment=clients,
            sources=("deploy.jobs_server.__main__",),
        ),
    ]
    programs += [_function(wanted.graph, name, port, clients) for name, port in functions.items()]
    return Components(programs, clients)


def client_environment(settings: Settings, pubsub: int, firestore: int, storage: int, jobs: int) -> dict[str, str]:
    """Return the variables by which this project's code and Google's clients and tools find the emulators."""
    url = f"http://{HOST}:{storage}"
    return {
        "FITSENSE_STACK": "emulators",
        "FITSENSE_PROJECT": settings.project,
        "FITSENSE_ARTIFACT_BUCKET": settings.artifact_bucket,
        "FITSENSE_CONFIG_BUCKET": settings.config_bucket,
        "FITSENSE_LEASE_S": str(LEASE_S),
        "FITSENSE_JOBS_HOST": f"{HOST}:{jobs}",
        "STORAGE_EMULATOR_HOST": url,
        "PUBSUB_EMULATOR_HOST": f"{HOST}:{pubsub}",
        "FIRESTORE_EMULATOR_HOST": f"{HOST}:{firestore}",
        "GOOGLE_CLOUD_PROJECT": settings.project,
        # For `gcloud storage`, which knows nothing of the variables above.
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{url}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": settings.project,
    }


def _function(graph: Topology, name: str, port: int, clients: dict[str, str]) -> Program:
    """Return a function as Cloud Run starts it: functions-framework, and in it gunicorn with threads."""
    place, limits = function_folder(name), graph.deployed()[name]
    source = str(ROOT / "functions" / place / "main.py")
    what = ("--target", place, "--source", source, "--signature-type", "cloudevent")
    own = {"THREADS": str(max(2, limits.concurrency)), "FITSENSE_ACK_DEADLINE_S": str(limits.timeout_s)}
    return Program(
        name=f"functions:{name}",
        command=module_command("functions_framework", *what, "--host", HOST, "--port", str(port)),
        port=port,
        ready=partial(answers, port),
        environment=clients | own,
        sources=(function_module(name),),
    )


def function_module(name: str) -> str:
    """Return the module of a function's entry point."""
    return f"functions.{function_folder(name)}.main"


def _clock(wanted: Wanted, clients: Mapping[str, str]) -> Program:
    ready_file = folder(wanted.out) / "clock.ready"
    return Program(
        name="clock",
        command=module_command("deploy.local.clock", f"--ready-file={ready_file}"),
        port=None,
        ready=partial(_exists, ready_file),
        before=partial(ready_file.unlink, missing_ok=True),
        environment=dict(clients) | {"FITSENSE_OUT": str(wanted.out)},
        sources=("deploy.local.clock",),
    )


def _storage_command(wanted: Wanted, settings: Settings, pubsub: int, port: int) -> tuple[str, ...]:
    root = folder(wanted.out) / "storage"
    told = ("--pubsub", f"{HOST}:{pubsub}", "--project", settings.project)
    faults = ("--fail-share", str(wanted.storage_fail_share)) if wanted.storage_fail_share else ()
    return module_command("deploy.storage_server", "--root", str(root), "--port", str(port), *told, *faults)


def _postgres(wanted: Wanted, port: int) -> Program:
    data = folder(wanted.out) / "postgres"
    found = postgres.choose(postgres.binaries(environment()), data)
    return Program(
        name="postgres",
        command=postgres.command(found, data, port),
        port=port,
        ready=partial(_migrated, port),
        before=partial(postgres.make_data, found, data),
        as_user=postgres.as_user(postgres.owner(data)),
        # Fast shutdown: SIGTERM would wait for every client to leave.
        stop_signal=signal.SIGINT,
    )


def _migrated(port: int) -> None:
    """Make the database and bring it to this version."""
    postgres.make_database(port)
    from deploy.database import migrate

    here = {"database_host": HOST, "database_port": port, "database_user": postgres.SUPERUSER}
    migrate(Settings(service="migrations").model_copy(update=here))


def _provision_events(graph: Topology, project: str, pubsub: str, ports: Mapping[str, int]) -> None:
    # Imported when something answers on the port, because Google's clients take a second of a start that has none.
    answers(int(pubsub.rpartition(":")[2]))
    from deploy.local.provision import provision_events

    provision_events(graph, project, pubsub, ports)


def _provision_buckets(graph: Topology, settings: Settings, url: str) -> None:
    from deploy.local.provision import provision_buckets

    provision_buckets(graph, settings.project, url, storage_names(settings))


def module_command(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module, whatever lies in the directory that it is started in."""
    return (sys.executable, "-P", "-m", name, *arguments)


def python_path() -> str:
    """Return the place of this project's packages, and after it what the user has set."""
    theirs = environment().get("PYTHONPATH")
    return f"{ROOT}:{theirs}" if theirs else str(ROOT)


def _exists(file: Path) -> None:
    if not file.exists():
        raise Unavailable(f"{file.name} is not there yet")
