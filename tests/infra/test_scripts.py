"""The pipeline's shell scripts, run with a stand-in for gcloud that notes what it was asked to do."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = ("profile", "logging", "inference-router", "plan")
FUNCTIONS = ("intake", "train")
IMAGES = {
    name: f"registry/{name}@sha256:{'a' * 64}" for name in (*SERVICES, "function", "migrate", "trainer", "vllm-vm")
}
GCLOUD = """
import json, os, sys
from pathlib import Path

told = sys.argv[1:]
folder = Path(os.environ["STAND_IN"])
with (folder / "calls").open("a") as file:
    file.write(json.dumps(told) + "\\n")
line = " ".join(told)
if any(word in line for word in os.environ.get("STAND_IN_FAILS", "").split(";") if word):
    sys.exit("ERROR: it does not")
if "services list" in line:
    print("intake\\ntrain")
elif "services describe" in line and "status.traffic" in line:
    traffic = [{"tag": "r1", "revisionName": f"{told[3]}-r1"}, {"percent": 100, "revisionName": f"{told[3]}-r2"}]
    calls = map(json.loads, (folder / "calls").read_text().splitlines())
    made = [word for call in calls for word in call if "--tag=" in word]
    traffic += [{"tag": made[-1][6:], "url": f"https://new---{told[3]}", "revisionName": "new"}] if made else []
    print(json.dumps({"status": {"traffic": traffic}}))
elif "services describe" in line and "export" in line:
    print((folder / "service.yaml").read_text())
elif "services describe" in line:
    print("registry/function@sha256:old")
elif "revisions describe" in line:
    print(os.environ.get("STAND_IN_READY", "True"))
elif "print-access-token" in line:
    print("token")
"""


class Cloud:
    """A project in which gcloud does nothing but note, and a share of requests fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failed: list[str] = []
        """The share in per cent, for one question after the other; after that none."""
        programs = folder / "bin"
        programs.mkdir()
        (programs / "gcloud").write_text(f"#!{sys.executable}\n{GCLOUD}")
        (programs / "gcloud").chmod(0o755)
        (folder / "calls").touch()
        cloud = self

        class Monitoring(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                share = cloud.failed.pop(0) if cloud.failed else "0"
                self.send_response(500 if share == "down" else 200)
                self.end_headers()
                self.wfile.write(json.dumps({"data": {"result": [{"value": [0, share]}]}}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Monitoring)

    def run(self, script: str, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a script of this checkout, from a directory of its own."""
        told = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "STAND_IN": str(self.folder),
            "PAUSE_S": "0",
            "MONITORING": f"http://127.0.0.1:{self.server.server_address[1]}",
        }
        command = ["bash", str(ROOT / script), *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | told | more,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def rollout(self, images: dict[str, str] = IMAGES, **more: str) -> "subprocess.CompletedProcess[str]":
        (self.folder / "images.json").write_text(json.dumps(images))
        return self.run("deploy/rollout.sh", "p", "europe-west4", "images.json", **more)

    def calls(self, *words: str) -> list[str]:
        """Return what gcloud was asked that has these words in it."""
        lines = [" ".join(json.loads(line)) for line in (self.folder / "calls").read_text().splitlines()]
        return [line for line in lines if all(word in line for word in words)]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    made = Cloud(tmp_path)
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(10)


def shares(cloud: Cloud, service: str) -> list[str]:
    """Return to what a service's traffic was moved, one after the other."""
    return [
        word.partition("=")[2].partition("=")[2]
        for call in cloud.calls("update-traffic", f" {service} ")
        for word in call.split()
        if word.startswith("--to-")
    ]


def moved_back(cloud: Cloud) -> set[str]:
    return {name for name in SERVICES if cloud.calls("update-traffic", name, f"--to-revisions={name}-r2=100")}


def test_a_rollout_migrates_then_moves_everything_to_the_digests_it_was_told(cloud: Cloud) -> None:
    done = cloud.rollout()
    assert done.returncode == 0, done.stderr
    asked = cloud.calls()
    migrated, smoked = (number for number, call in enumerate(asked) if "jobs execute migrate" in call)
    assert asked[smoked].endswith(",".join(f"https://new---{name}" for name in ("profile", "logging", "plan")))
    assert max(n for n, call in enumerate(asked) if "--no-traffic" in call) < smoked
    assert min(n for n, call in enumerate(asked) if "update-traffic" in call) > smoked
    assert min(number for number, call in enumerate(asked) if "services update" in call) > migrated
    for name in SERVICES:
        assert cloud.calls("services update", f" {name} ", f"--image={IMAGES[name]}", "--no-traffic")
        assert shares(cloud, name) == ["10", "50", "100", "100"]
        assert cloud.calls("update-traffic", name, "--clear-tags")
    for name in FUNCTIONS:
        assert cloud.calls("services update", f" {name} ", f"--image={IMAGES['function']}")
    assert cloud.calls("jobs update trainer", f"--image={IMAGES['trainer']}")
    assert moved_back(cloud) == set()


def test_batch_is_told_of_the_same_trainer_as_cloud_run(cloud: Cloud) -> None:
    cloud.rollout()
    (call,) = cloud.calls("FITSENSE_TRAINER_IMAGE")
    assert "services update train --project=p" in call
    assert f"--update-env-vars=FITSENSE_TRAINER_IMAGE={IMAGES['trainer']}" in call


def test_an_image_by_tag_is_refused_before_anything_is_done(cloud: Cloud) -> None:
    done = cloud.rollout(IMAGES | {"plan": "registry/plan:latest"})
    assert done.returncode != 0
    assert "registry/plan:latest is no image by digest" in done.stderr
    assert cloud.calls("update") == cloud.calls("execute") == []


@pytest.mark.parametrize(("shown", "steps"), [(["7"], ["10"]), (["0", "1", "40"], ["10", "50", "100"])])
def test_errors_of_the_new_revisions_bring_everything_back(cloud: Cloud, shown: list[str], steps: list[str]) -> None:
    cloud.failed = list(shown)
    assert cloud.rollout().returncode == 1
    assert shares(cloud, "plan") == [*steps, "100"]
    assert moved_back(cloud) == set(SERVICES)
    for name in FUNCTIONS:
        assert cloud.calls("services update", f" {name} ", "--image=registry/function@sha256:old")


def test_what_cannot_be_judged_goes_back_too(cloud: Cloud) -> None:
    cloud.failed = ["0", "down"]
    assert cloud.rollout().returncode != 0
    assert moved_back(cloud) == set(SERVICES)


def test_a_step_that_fails_half_way_brings_everything_back(cloud: Cloud) -> None:
    moving = "update-traffic inference-router --project=p --region=europe-west4 --quiet --to-tags"
    assert cloud.rollout(STAND_IN_FAILS=moving).returncode != 0
    assert moved_back(cloud) == set(SERVICES)


def test_a_revision_that_does_not_become_ready_moves_nothing(cloud: Cloud) -> None:
    done = cloud.rollout(STAND_IN_READY="False")
    assert done.returncode == 1
    assert "nothing has moved" in done.stderr
    assert cloud.calls("update-traffic") == []
    assert cloud.calls("services update", " intake ") == []


def test_a_revision_that_does_not_answer_at_its_own_url_moves_nothing(cloud: Cloud) -> None:
    assert cloud.rollout(STAND_IN_FAILS="deploy.smoke").returncode != 0
    assert cloud.calls("update-traffic") == []
    assert cloud.calls("services update", " intake ") == []


@pytest.mark.parametrize(("statuses", "status"), [([200], 0), ([503, 503, 200], 0), ([503], 1)])
def test_a_service_that_gets_ready_in_time_has_passed(statuses: list[int], status: int) -> None:
    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/readyz"
            self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        command = [sys.executable, "-m", "deploy.smoke", url, "--pause-s=0.01"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        server.shutdown()
    assert done.returncode == status, done.stdout


def test_a_migration_that_fails_moves_nothing(cloud: Cloud) -> None:
    assert cloud.rollout(STAND_IN_FAILS="execute migrate").returncode != 0
    assert cloud.calls("services update") == []


def test_services_are_exported_for_skaffold_to_put_new_images_into(cloud: Cloud) -> None:
    container = {"image": f"registry/plan@sha256:{'b' * 64}", "ports": [{"containerPort": 8080}]}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "plan"},
        "spec": {
            "template": {"spec": {"containers": [container]}},
            "traffic": [{"latestRevision": True, "percent": 100}],
        },
    }
    (cloud.folder / "service.yaml").write_text(yaml.safe_dump(service, sort_keys=True))
    done = cloud.run("deploy/export-services.sh", "p", "europe-west4")
    assert done.returncode == 0, done.stderr
    made = yaml.safe_load((cloud.folder / "deploy" / "cloudrun" / "plan.yaml").read_text())
    assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "plan"
    assert "traffic" not in made["spec"]
    assert {path.stem for path in (cloud.folder / "deploy" / "cloudrun").glob("*.yaml")} == set(SERVICES)


def test_the_services_that_scripts_move_are_those_that_there_are() -> None:
    there = set(yaml.safe_load((ROOT / "deploy" / "deployables.yaml").read_text())["services"])
    assert there == set(SERVICES)
    for script in ("rollout.sh", "export-services.sh"):
        text = (ROOT / "deploy" / script).read_text()
        assert " ".join(SERVICES) in text or all(name in text for name in SERVICES), script
