"""Images: every Dockerfile is pinned, small and not root's, and what it copies and installs is enough to start.

Where there is no engine the steps are run in folders: the environment is made from nothing, as the image would, and the
command that the image ends in is started. The two heavy ones (PyTorch, vLLM) are not installed again: that every import
of the files they copy is among the pinned requirements is checked instead.
"""

import ast
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path

import pytest
from dockerfile import ROOT, Stage, built, steps

FILES = {
    "service": ROOT / "deploy" / "service.Dockerfile",
    "function": ROOT / "deploy" / "function.Dockerfile",
    "trainer": ROOT / "trainer-job" / "Dockerfile",
    "vllm-vm": ROOT / "vllm-vm" / "Dockerfile",
}
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/*.py") if path.name == "app.py")
HEAVY = {
    "trainer": ("trainer-job/requirements.txt", ("shared", "trainer-job/trainer_job")),
    "vllm-vm": ("vllm-vm/requirements-gpu.txt", ("vllm-vm/vllm_vm",)),
}
OWN = {"shared", "functions", "services", "deploy", "trainer_job", "vllm_vm"}
DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "pydantic_core": "pydantic",
    "grpc": "google-cloud-pubsub",
    "google": "google-cloud-storage",
    "werkzeug": "cloudevents",
    "markupsafe": "jinja2",
    "requests": "google-cloud-storage",
    "numpy": "transformers",
}
"""Whose import is called otherwise, or comes with what another asks for."""
CLOUD_ONLY = {
    "flask",
    "alembic",
    "sqlalchemy",
    "pg8000",
    "jwt",
    "cryptography",
    "opentelemetry",
    "prometheus_client",
    "httpx",
    "functions_framework",
    "click",
    "argon2",
    "granian",
}
"""Of the services' part of shared/, which neither the trainer nor the model server imports."""
DEADLINE_S = 120


@pytest.mark.parametrize("name", FILES)
def test_an_image_is_pinned_labelled_and_not_roots(name: str) -> None:
    text = FILES[name].read_text()
    stages = [step.text for step in steps(text) if step.word == "FROM"]
    own = {one.partition(" AS ")[2] for one in stages}
    bases = [one.partition(" AS ")[0] for one in stages if one.partition(" AS ")[0] not in own]
    assert bases
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", base) for base in bases)
    assert "LABEL org.opencontainers.image" in text
    last = text[text.rindex("FROM ") :]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert ("HEALTHCHECK" in last) == ("EXPOSE" in last)


@pytest.mark.parametrize("name", FILES)
def test_what_an_image_copies_is_there_and_not_ignored(name: str) -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for step in steps(FILES[name].read_text()):
        if step.word == "COPY" and not step.text.startswith("--from"):
            for source in step.text.replace("${APP}", "").split()[:-1]:
                assert (ROOT / source).exists(), source
                assert any(source.rstrip("/").startswith(one) for one in kept), source


@pytest.mark.parametrize("name", HEAVY)
def test_every_import_of_a_heavy_image_is_among_its_requirements(name: str) -> None:
    file, folders = HEAVY[name]
    pinned = {
        re.split(r"[=\[;]", line)[0].strip().lower().replace("_", "-")
        for line in (ROOT / file).read_text().splitlines()
        if line and not line.startswith("#")
    }
    wanted = {DISTRIBUTIONS.get(one, one.replace("_", "-")) for one in imported(folders)}
    assert sorted(wanted - pinned) == []


def imported(folders: tuple[str, ...]) -> set[str]:
    """Return the top-level packages that files import, beside Python's own and ours."""
    found = set()
    for path in (one for folder in folders for one in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - OWN - CLOUD_ONLY - set(sys.stdlib_module_names)


@pytest.fixture(scope="module")
def environments() -> dict[str, Path]:
    """Environments that images have in common, so that each is installed once."""
    return {}


@pytest.mark.slow
def test_a_function_starts_from_its_images_files_alone(tmp_path: Path, environments: dict[str, Path]) -> None:
    image = built(FILES["function"], "function", tmp_path, {"GIT_COMMIT": "0" * 40}, environments)
    assert (
        status(image, "/", "--source=functions/profiles/main.py", "--target=profiles", "--signature-type=cloudevent")
        < 500
    )


@pytest.mark.slow
@pytest.mark.parametrize("app", SERVICES)
def test_a_service_starts_from_its_images_files_alone(app: str, tmp_path: Path, environments: dict[str, Path]) -> None:
    image = built(FILES["service"], "service", tmp_path, {"APP": app, "GIT_COMMIT": "0" * 40}, environments)
    assert status(image, "/healthz") == 200


@pytest.mark.slow
def test_migrations_know_their_command_from_their_images_files_alone(
    tmp_path: Path, environments: dict[str, Path]
) -> None:
    image = built(FILES["service"], "migrations", tmp_path, {"GIT_COMMIT": "0" * 40}, environments)
    done = subprocess.run(
        [*image.command, "--help"], cwd=image.at("."), env=variables(image), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "database" in done.stdout.lower()


def variables(image: Stage) -> dict[str, str]:
    return image.environment() | {
        "FITSENSE_OUT": str(image.root / "out"),
        "FITSENSE_SERVICE": image.variables.get("APP", ""),
    }


def status(image: Stage, path: str, *arguments: str) -> int:
    """Start what an image starts, and return the status of its first answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [*image.entrypoint, *(arguments or image.command)]
    process = subprocess.Popen(
        command,
        cwd=image.at("."),
        env=variables(image) | {"PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as exc:
                return exc.code
            except OSError:
                time.sleep(0.2)
        process.terminate()
        raise AssertionError(process.communicate(timeout=30)[0])
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=20)
        if process.poll() is None:
            os.kill(process.pid, 9)
            process.communicate()
