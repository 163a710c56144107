"""skaffold.yaml, the workflows, Cloud Build's files and the shell scripts are what their tools take."""

import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SCHEMA = ROOT.parent / "shared" / "tools" / "skaffold" / "skaffold-v4beta14.json"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
BUILDS = sorted((ROOT / "deploy" / "cloudbuild").glob("*.yaml"))
SCRIPTS = sorted([*(ROOT / "deploy").rglob("*.sh"), *(ROOT / "vllm-vm").glob("*.sh"), ROOT / ".ci" / "run"])
SKAFFOLD = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
DEPLOYABLES = yaml.safe_load((ROOT / "deploy" / "deployables.yaml").read_text())
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
KEYS = re.compile(r"credentials_json|service_account_key|GOOGLE_CREDENTIALS|_KEY_JSON", re.IGNORECASE)


def run(*command: str | Path) -> None:
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return found


def test_skaffold_fits_its_schema() -> None:
    if not SCHEMA.exists():
        pytest.skip(f"NOT CHECKED: skaffold's schema is not at {SCHEMA}")
    run(BIN / "check-jsonschema", "--schemafile", SCHEMA, ROOT / "skaffold.yaml")


def test_a_misspelt_field_of_skaffold_is_found(tmp_path: Path) -> None:
    if not SCHEMA.exists():
        pytest.skip(f"NOT CHECKED: skaffold's schema is not at {SCHEMA}")
    broken = tmp_path / "skaffold.yaml"
    broken.write_text((ROOT / "skaffold.yaml").read_text().replace("projectid:", "projectId:"))
    with pytest.raises(AssertionError, match="projectId"):
        run(BIN / "check-jsonschema", "--schemafile", SCHEMA, broken)


def test_skaffold_builds_every_image_there_is() -> None:
    built = {one["image"] for one in SKAFFOLD["build"]["artifacts"]}
    assert built == {"function", *DEPLOYABLES["services"], *DEPLOYABLES["jobs"], *DEPLOYABLES["machines"]}
    for one in SKAFFOLD["build"]["artifacts"]:
        file = (ROOT / one["docker"]["dockerfile"]).read_text()
        target = one["docker"].get("target")
        assert target is None or re.search(rf"^FROM .* AS {target}$", file, re.MULTILINE), one["image"]


def test_skaffold_has_a_profile_for_every_environment_and_for_this_machine() -> None:
    profiles = {one["name"]: one for one in SKAFFOLD["profiles"]}
    assert set(profiles) == {"local", "dev", "stage", "prod"}
    assert {one["name"] for one in SKAFFOLD["customActions"]} == {"migrate", "replay-dead-letters"}
    for name in ("dev", "stage", "prod"):
        variables = (ROOT / "deploy" / "terraform" / "envs" / name / "terraform.tfvars").read_text()
        run_ = profiles[name]["deploy"]["cloudrun"]
        assert f'"{run_["projectid"]}"' in variables
        assert f'"{run_["region"]}"' in variables


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_fits_githubs_schema(path: Path) -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.name)
def test_a_build_fits_cloud_builds_schema(path: Path) -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.cloudbuild", path)


def test_workflows_have_no_hole_that_zizmor_knows() -> None:
    run(BIN / "zizmor", "--offline", "--quiet", "--no-progress", "--min-severity=medium", *WORKFLOWS)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_actions_by_commit_and_no_keys(path: Path) -> None:
    text = path.read_text()
    used = re.findall(r"uses: (\S+)", text)
    assert [one for one in used if not one.startswith("./") and not re.search(r"@[0-9a-f]{40}$", one)] == []
    assert not KEYS.search(text)
    assert yaml.safe_load(text)["permissions"] == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_shell_of_a_workflow_is_sound(path: Path, tmp_path: Path) -> None:
    for name, job in jobs(path).items():
        for number, step in enumerate(job.get("steps", ())):
            if "run" in step:
                script = tmp_path / f"{name}-{number}.sh"
                script.write_text("#!/bin/bash\nset -euo pipefail\n" + re.sub(r"\$\{\{.*?\}\}", "given", step["run"]))
                run(BIN / "shellcheck", script)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_script_is_sound(path: Path) -> None:
    run(BIN / "shellcheck", path)


def test_shellcheck_finds_what_is_wrong(tmp_path: Path) -> None:
    script = tmp_path / "wrong.sh"
    script.write_text('#!/bin/sh\ncd $1\nrm -rf "$2"/*\n')
    with pytest.raises(AssertionError, match="SC2164"):
        run(BIN / "shellcheck", script)


def commands() -> list[list[str]]:
    """Return what skaffold's actions and checks run in containers, but for the interpreter."""
    tested = [one["container"] for one in SKAFFOLD["verify"]]
    done = [container for action in SKAFFOLD["customActions"] for container in action["containers"]]
    return [[*one["command"], *one["args"]] for one in (*tested, *done)]


def test_what_skaffold_runs_is_in_images_of_this_checkout() -> None:
    built = {one["image"] for one in SKAFFOLD["build"]["artifacts"]}
    tested = {one["container"]["image"] for one in SKAFFOLD["verify"]}
    done = {container["image"] for action in SKAFFOLD["customActions"] for container in action["containers"]}
    assert tested | done <= built


@pytest.mark.parametrize("command", [one for one in commands() if one[1:3] == ["-m", "deploy"]], ids=" ".join)
def test_an_action_of_skaffold_is_a_command_there_is(command: list[str]) -> None:
    given = [one for one in command[1:] if not one.startswith("--")]
    options = [one for one in command[1:] if one.startswith("--")]
    done = subprocess.run([sys.executable, *given, "--help"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert all(option in done.stdout for option in options)


@pytest.mark.parametrize(("status", "fails"), [(401, False), (200, True), (500, True)])
def test_skaffolds_check_of_the_front_door_wants_it_to_refuse(status: int, fails: bool) -> None:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/v1/me" else 418)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = next(one for one in commands() if "/v1/me" in one)
        told = os.environ | {"FITSENSE_URL": f"http://127.0.0.1:{server.server_address[1]}"}
        done = subprocess.run([sys.executable, *command[1:]], env=told, capture_output=True, text=True, check=False)
        server.shutdown()
    assert bool(done.returncode) == fails


def images_of_others() -> dict[str, list[str]]:
    """Return each image that is not built here, by the file that names it."""
    files = [
        *WORKFLOWS,
        *BUILDS,
        ROOT / "skaffold.yaml",
        *ROOT.glob("*/*Dockerfile"),
        *ROOT.glob("deploy/*.Dockerfile"),
    ]
    named = re.compile(
        r"(?:FROM|name:|image:|_?[A-Z]+:) ((?:gcr\.io|ghcr\.io|docker\.io|[a-z]+)(?:/[\w./-]+)?[:@][\w.:@-]+)"
    )
    return {path.relative_to(ROOT).as_posix(): named.findall(path.read_text()) for path in files}


def test_every_image_of_others_is_named_by_digest() -> None:
    found = images_of_others()
    assert sum(map(len, found.values())) >= 10
    by_tag = {name: bad for name, all_ in found.items() if (bad := [one for one in all_ if not DIGEST.search(one)])}
    assert by_tag == {}
    for path in (*WORKFLOWS, *BUILDS):
        assert not re.search(r"docker run [^\n]* [a-z./-]+/[a-z-]+:v?[0-9]", path.read_text()), path.name


def test_environments_differ_in_their_variables_only() -> None:
    folders = [ROOT / "deploy" / "terraform" / "envs" / name for name in ("dev", "stage", "prod")]
    for file in ("main.tf", "variables.tf", "versions.tf", "backend.tf"):
        assert len({(folder / file).read_text() for folder in folders}) == 1, file
    assert len({(folder / "terraform.tfvars").read_text() for folder in folders}) == 3


def test_a_release_moves_the_same_digest_and_turns_back() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yaml").read_text()
    script = (ROOT / "deploy" / "rollout.sh").read_text()
    assert "docker build" not in text
    for word in ("--no-traffic", "--tag", "10 50 100", "rollback"):
        assert word in script, word
    assert (
        script.index("jobs execute migrate") < script.index("--no-traffic") < script.index('--to-tags="$tag=$percent"')
    )


@pytest.mark.skipif(shutil.which("terraform") is None, reason="NOT CHECKED: terraform is not installed")
def test_terraform_is_formatted() -> None:
    run("terraform", f"-chdir={ROOT / 'deploy' / 'terraform'}", "fmt", "-check", "-recursive")
