"""Engine: Terraform over the google provider, or, where that cannot be downloaded, over a stand-in with its schema.

    provider   plain terraform; `terraform init` downloads the provider
    offline    ../shared/tools/terraform-offline beside the checkout: the real engine, the provider's real schema
    nothing    neither is there: who asks is told why

The offline tool's schema leaves one type out that refers to itself, google_compute_url_map; the part of it that is used
here stands in recursive_types.json, after the provider's documentation.
"""

import gzip
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.errors import Unavailable
from shared.settings import environment

ROOT: Final = Path(__file__).parents[2]
TERRAFORM: Final = ROOT / "deploy" / "terraform"
TOOL: Final = ROOT.parent / "shared" / "tools" / "terraform-offline"
RECURSIVE: Final = Path(__file__).with_name("recursive_types.json")
CACHE: Final = Path.home() / ".cache" / "fitsense-terraform"
SCHEMA: Final = "google-schema.json.gz"
NO_CALLS: Final = {"GOOGLE_OAUTH_ACCESS_TOKEN": "no calls are made", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
"""The provider wants credentials before it plans, though a plan of new resources asks Google nothing."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How to run Terraform on this machine."""

    name: str
    wrapper: Path | None

    def check(self, folder: Path) -> "subprocess.CompletedProcess[str]":
        """Check a folder: formatting, validity, and its tests."""
        if self.wrapper:
            return _run([str(self.wrapper), str(folder)], self._variables())
        done = self(folder, "fmt", "-check", "-diff")
        for command in (("validate",), ("test",)):
            if done.returncode == 0:
                done = self(folder, *command)
        return done

    def __call__(self, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a Terraform command in a folder, which needs no `init` before."""
        if self.wrapper:
            return _run([str(self.wrapper), str(folder), *arguments], self._variables())
        data = {"TF_DATA_DIR": str(CACHE / "data" / str(folder).replace("/", "_"))}
        started = _run(["terraform", f"-chdir={folder}", "init", "-backend=false", "-input=false"], data)
        return started if started.returncode else _run(["terraform", f"-chdir={folder}", *arguments], data)

    def _variables(self) -> dict[str, str]:
        return {"TF_OFFLINE_HOME": str(CACHE / "offline")}


def engine() -> Engine:
    """Return how to run Terraform here; raises Unavailable where it cannot be."""
    if not shutil.which("terraform"):
        raise Unavailable("terraform is not installed; see https://developer.hashicorp.com/terraform/install")
    if TOOL.is_dir():
        return Engine("offline", _patched(TOOL))
    found = Engine("provider", None)
    if found(TERRAFORM / "modules" / "documents", "version").returncode:
        raise Unavailable(
            f"the google provider cannot be downloaded, and its stand-in is not at {TOOL}: Terraform was not checked"
        )
    return found


def copied(target: Path, source: Path = ROOT) -> Path:
    """Copy everything that Terraform reads to a folder, without the backends, so that it can plan from nothing."""
    for name in ("terraform", "prices"):
        shutil.copytree(
            source / "deploy" / name, target / "deploy" / name, ignore=shutil.ignore_patterns(".terraform*")
        )
    for file in (source / "deploy").glob("*.yaml"):
        shutil.copy(file, target / "deploy")
    (target / "vllm-vm").mkdir()
    shutil.copy(source / "vllm-vm" / "startup.sh", target / "vllm-vm")
    for backend in (target / "deploy" / "terraform").rglob("backend.tf"):
        backend.unlink()
    return target


def plan(run: Engine, copy: Path, folder: str, *arguments: str) -> dict[str, Any]:
    """Return the plan of a root module of a copy, as Terraform prints it in JSON; raises Unavailable, saying why."""
    root, file = copy / "deploy" / "terraform" / folder, copy / "planned"
    planned = run(root, "plan", "-input=false", "-refresh=false", "-lock=false", f"-out={file}", *arguments)
    if planned.returncode:
        raise Unavailable(f"terraform plan fails in {folder}:\n{planned.stdout}{planned.stderr}")
    shown = run(root, "show", "-json", str(file))
    found: dict[str, Any] = json.loads(shown.stdout[shown.stdout.index("{") :])
    return found


def _patched(tool: Path) -> Path:
    """Return a copy of the tool whose schema has the types that its own lacks."""
    copy = CACHE / "tool"
    if not copy.is_dir():
        draft = CACHE / "tool.draft"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(tool, draft, copy_function=shutil.copyfile)
        with gzip.open(tool / SCHEMA, "rt") as text:
            schema = json.load(text)
        for provider in schema["provider_schemas"].values():
            provider["resource_schemas"] |= json.loads(RECURSIVE.read_text())
        with gzip.open(draft / SCHEMA, "wt", compresslevel=1) as out:
            json.dump(schema, out)
        (draft / "tf-offline").chmod(0o755)
        draft.rename(copy)
    return copy / "tf-offline"


def _run(command: list[str], variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - the commands are this module's own
        command, capture_output=True, text=True, check=False, env=environment() | NO_CALLS | variables
    )
