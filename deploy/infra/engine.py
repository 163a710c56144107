"""Engine: Terraform over the google provider, or, where that cannot be downloaded, over a stand-in with its schema.

    provider   plain terraform; `terraform init` downloads the provider, once
    offline    ../shared/tools/terraform-offline beside the checkout: the real engine, the provider's real schema
    nothing    neither is there: who asks is told why

Either is made ready once, under a lock, as a folder that Terraform takes providers from; after that any number of
processes use it at once. The offline tool's schema leaves one type out that refers to itself, google_compute_url_map;
the part of it that is used here stands in recursive_types.json, after the provider's documentation.
"""

import fcntl
import gzip
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

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
DOWNLOAD_S: Final = 180.0
"""How long the provider's download may take before it counts as one that cannot be had."""

Kind = Literal["provider", "offline"]
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Engine:
    """How to run Terraform on this machine."""

    name: Kind
    rules: Path
    """Terraform's own configuration: where providers come from."""
    checker: tuple[str, ...] = ()
    """The command of a static checker that finds more in one go than `validate`, where there is one."""

    def check(self, folder: Path) -> Done:
        """Check a folder of a copy: formatting, validity, and its tests."""
        done = _run([*self.checker, str(folder)]) if self.checker else Done([], 0, "", "")
        for command in (("fmt", "-check", "-diff"), ("validate",), ("test",)):
            if done.returncode == 0:
                done = self(folder, *command)
        return done

    def __call__(self, folder: Path, *arguments: str) -> Done:
        """Run a Terraform command in a folder of a copy, which needs no `init` before."""
        told = {"TF_CLI_CONFIG_FILE": str(self.rules), "TF_DATA_DIR": str(folder / ".terraform")}
        if not (folder / ".terraform.lock.hcl").exists():
            started = _run(["terraform", f"-chdir={folder}", "init", "-backend=false", "-input=false"], told)
            if started.returncode:
                return started
        return _run(["terraform", f"-chdir={folder}", *arguments], told)


def engine(first: Kind = "offline") -> Engine:
    """Return how to run Terraform here, trying one way first; raises Unavailable where it cannot be run at all.

    Without the other way's tool or network the answer is the same, whichever is tried first.
    """
    if not shutil.which("terraform"):
        raise Unavailable("terraform is not installed; see https://developer.hashicorp.com/terraform/install")
    ways = {"offline": _offline, "provider": _provider}
    doubts = []
    for way in sorted(ways, key=lambda way: way != first):
        try:
            with _locked():
                return ways[way]()
        except Unavailable as exc:
            doubts.append(str(exc))
    raise Unavailable(f"Terraform cannot be checked: {'; '.join(doubts)}")


def copied(target: Path, source: Path = ROOT, backends: bool = False) -> Path:
    """Copy everything that Terraform reads to a folder, so that the checkout stays as it is.

    Without the backends it can plan from nothing.
    """
    for name in ("terraform", "prices"):
        shutil.copytree(
            source / "deploy" / name, target / "deploy" / name, ignore=shutil.ignore_patterns(".terraform*")
        )
    for file in (source / "deploy").glob("*.yaml"):
        shutil.copy(file, target / "deploy")
    (target / "vllm-vm").mkdir()
    shutil.copy(source / "vllm-vm" / "startup.sh", target / "vllm-vm")
    if not backends:
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


def _offline() -> Engine:
    """Make the offline tool ready, with the types that its schema lacks."""
    if not TOOL.is_dir():
        raise Unavailable(f"the provider's stand-in is not at {TOOL}")
    parts = [path.read_bytes() for path in (*sorted(TOOL.iterdir()), RECURSIVE) if path.is_file()]
    home = CACHE / f"offline-{hashlib.sha256(b''.join(parts)).hexdigest()[:12]}"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        tool, empty = home / "tool", home / "empty"
        shutil.copytree(TOOL, tool, copy_function=shutil.copyfile)
        tool.chmod(0o755)
        _add_types(tool / SCHEMA)
        empty.mkdir()
        done = _run(["bash", str(tool / "tf-offline"), str(empty), "version"], {"TF_OFFLINE_HOME": str(home)})
        if done.returncode:
            raise Unavailable(f"the provider's stand-in cannot be made ready: {done.stderr.strip()}")
    checker = (str(home / "venv" / "bin" / "python"), str(home / "tool" / "tfcheck.py"))
    return Engine("offline", home / "terraformrc", checker)


def _provider() -> Engine:
    """Download the provider that the modules ask for."""
    wanted = TERRAFORM / "modules" / "documents" / "versions.tf"
    home = CACHE / f"provider-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]}"
    rules = home / "terraformrc"
    if not rules.exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        shutil.copy(wanted, home)
        data = {"TF_DATA_DIR": str(home / "data")}
        started = _run(["terraform", f"-chdir={home}", "init", "-input=false"], data, DOWNLOAD_S)
        if started.returncode:
            raise Unavailable("the google provider cannot be downloaded")
        mirror = f'filesystem_mirror {{\n    path = "{home}/data/providers"\n  }}'
        rules.write_text(f"provider_installation {{\n  {mirror}\n}}\n")
    return Engine("provider", rules)


def _add_types(schema: Path) -> None:
    with gzip.open(schema, "rt") as text:
        known = json.load(text)
    for provider in known["provider_schemas"].values():
        provider["resource_schemas"] |= json.loads(RECURSIVE.read_text())
    with gzip.open(schema, "wt", compresslevel=1) as out:
        json.dump(known, out)


@contextmanager
def _locked() -> Iterator[None]:
    """Wait for whoever makes an engine ready; a process that dies gives the lock back."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str], variables: dict[str, str] | None = None, timeout_s: float | None = None) -> Done:
    told = environment() | NO_CALLS | (variables or {})
    try:
        return subprocess.run(  # noqa: S603 - the commands are this module's own
            command, capture_output=True, text=True, check=False, env=told, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        return Done(command, 1, "", f"{command[0]} took longer than {timeout_s:g} s")
