"""deploy/README.md, as far as no account is needed: its commands and paths are there, and its numbers are right."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from planned import GIVEN

from deploy.cli import main
from deploy.infra.check import folders
from deploy.infra.engine import Engine, copied, plan

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "deploy" / "README.md"
TEXT = PAGE.read_text()
CODE = re.sub(r" \\\n\s+", " ", "\n".join(re.findall(r"^    (.+)$", TEXT, re.MULTILINE)))
PATHS = re.compile(r"(?<![\w/.@:-])(deploy/[\w./-]+\w|trainer-job/[\w./-]+\w)")
MADE = {"deploy/terraform/envs/dev/images.auto.tfvars.json"}
"""What the page's own commands make."""
EVALUATED = {"checkov": 87, "folders": 21}


def fitsense_commands() -> list[list[str]]:
    found = re.findall(r"(?:^|[;&] )\.venv/bin/fitsense ([^#\n]*)", CODE, re.MULTILINE)
    return [shlex.split(one) for one in found]


@pytest.mark.parametrize("words", fitsense_commands(), ids=" ".join)
def test_a_command_of_ours_has_these_options(words: list[str]) -> None:
    command = main.get_command(click.Context(main), words[0])
    assert command is not None
    known = {option for one in command.params for option in one.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_paths_in_commands_are_there() -> None:
    named = set(PATHS.findall(CODE)) - MADE
    assert len(named) >= 4
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_the_table_of_places_names_places() -> None:
    first = re.findall(r"^\| (`[^|]+) \|", TEXT[TEXT.index("## Where what is") :], re.MULTILINE)
    places = [place for cell in first for place in re.findall(r"`([^`]+)`", cell)]
    assert len(places) >= 8
    folder = ROOT / "deploy"
    assert [one for one in places if not (list(folder.glob(one)) if "*" in one else (folder / one).exists())] == []


def test_scripts_and_builds_that_the_page_names_are_there() -> None:
    for name in ("rollout.sh", "export-services.sh", "runbook.md", "COST.md", "topology.yaml", "deployables.yaml"):
        assert name in TEXT
        assert (ROOT / "deploy" / name).exists()
    assert re.search(r"^infra-check:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_roles_and_variables_of_the_pipeline_are_those_that_workflows_read() -> None:
    workflows = "".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yaml"))
    assert set(re.findall(r"vars\.([A-Z_]+)", workflows)) == {
        "REGISTRY",
        *(f"{one}_{what}" for one in ("DEV", "STAGE", "PROD") for what in ("PROJECT", "PROVIDER")),
    } - {"STAGE_REGISTRY"}
    for name in ("REGISTRY", "DEV_PROJECT", "DEV_PROVIDER"):
        assert f"`{name}`" in TEXT


def test_what_skaffold_has_built_becomes_what_terraform_reads(tmp_path: Path) -> None:
    if not shutil.which("jq"):
        pytest.skip("NOT CHECKED: jq is not installed")
    (program,) = re.findall(r"jq '(.+?)' built\.json", CODE)
    built = {"builds": [{"imageName": "reg/fitsense/plan", "tag": "reg/fitsense/plan:abc@sha256:0"}]}
    done = subprocess.run(["jq", program], input=json.dumps(built), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"images": {"plan": "reg/fitsense/plan:abc@sha256:0"}}


def test_every_secret_gets_a_value_and_no_other() -> None:
    given = set(re.findall(r"gcloud secrets versions add ([a-z-]+)", CODE))
    file = yaml.safe_load((ROOT / "deploy" / "deployables.yaml").read_text())
    assert given == set(file["secrets"])


def test_a_signing_key_is_one_that_the_services_read() -> None:
    if not shutil.which("openssl"):
        pytest.skip("NOT CHECKED: openssl is not installed")
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True).stdout
    assert isinstance(load_pem_private_key(made, None), Ed25519PrivateKey)
    assert "genpkey -algorithm ed25519" in CODE


def test_the_base_lies_where_the_recipe_says() -> None:
    recipe = re.findall(r"--recipe (\w+)", CODE)[0]
    base = yaml.safe_load((ROOT / "trainer-job" / "recipes" / f"{recipe}.yaml").read_text())["base"]
    assert f"models/base/{base}/" in TEXT


def test_the_numbers_of_what_is_checked_are_right() -> None:
    assert f"{EVALUATED['folders']} of {EVALUATED['folders']} folders" in TEXT
    assert len(folders()) == EVALUATED["folders"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "told", "what"),
    [
        ("bootstrap", ("-var-file=dev.tfvars", "-var=attestor_public_key=x"), "Expect about (\\d+) resources in all"),
        ("envs/dev", (GIVEN,), "Expect about (\\d+) resources, 20"),
    ],
)
def test_as_many_resources_are_made_as_are_promised_and_what_is_targeted_is_there(
    terraform: Engine, tmp_path: Path, folder: str, told: tuple[str, ...], what: str
) -> None:
    made = plan(terraform, copied(tmp_path), folder, *told)
    addresses = [one["address"] for one in made["resource_changes"] if one["mode"] == "managed"]
    (promised,) = re.findall(what, TEXT)
    assert abs(len(addresses) - int(promised)) <= 0.05 * len(addresses)
    targets = [
        one for one in re.findall(r"-target=(\S+)", CODE) if one.startswith("module.") == (folder != "bootstrap")
    ]
    assert targets
    assert all(any(address.startswith(target) for address in addresses) for target in targets)


def test_a_plan_is_made_of_files_alone() -> None:
    data = [
        path for path in (ROOT / "deploy" / "terraform").rglob("*.tf") if re.search(r'^data "', path.read_text(), re.M)
    ]
    assert data == []
