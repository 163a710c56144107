"""What vLLM is started on and with: the promoted version's base, checked; one file of flags for every machine."""

import json
from pathlib import Path

import pytest
import yaml
from vllm_vm.flags import command, read_flags
from vllm_vm.weights import fetch_base, wanted_base

from shared.artifacts import DirectoryStore
from shared.documents import SqliteDocuments
from shared.errors import NotFound, Rejected
from tests.serving.versions import promote, put_model, version


def test_the_base_is_that_of_what_is_promoted(tmp_path: Path) -> None:
    store, documents = DirectoryStore(tmp_path), SqliteDocuments(tmp_path / "documents.sqlite")
    assert wanted_base(documents, store, "dev") is None
    put_model(store, 1)
    promote(documents, version(1))
    assert wanted_base(documents, store, "dev") == "toy"


@pytest.mark.parametrize("name", ["tiny-1", "models/base/tiny-1"])
def test_a_base_is_fetched_once_and_checked(tmp_path: Path, name: str) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.create("models/base/tiny-1/config.json", b"{}")
    store.create("models/base/tiny-1/model.safetensors", b"weights")
    place = fetch_base(store, name, tmp_path / "bases")
    assert (place / "model.safetensors").read_bytes() == b"weights"
    assert fetch_base(store, name, tmp_path / "bases") == place


def test_a_base_that_is_not_what_its_receipt_says_is_not_used(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.create("models/base/tiny-1/config.json", b"{}")
    store.create("models/base/tiny-1/base.json", json.dumps({"files": {"config.json": "0" * 64}}).encode())
    with pytest.raises(Rejected, match=r"not what base\.json says: config\.json"):
        fetch_base(store, "tiny-1", tmp_path / "bases")
    assert list((tmp_path / "bases").iterdir()) == []


def test_a_base_that_is_nowhere_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="copy them to models/base/org/name"):
        fetch_base(DirectoryStore(tmp_path), "org/name", tmp_path / "bases")


def test_every_flag_has_its_reason() -> None:
    flags = read_flags()
    assert all(len(one.why) > 30 for one in (*flags.flags.values(), *flags.environment.values()))


def test_both_machines_have_the_same_limits_from_one_file() -> None:
    flags = read_flags()
    cpu, gpu = flags.arguments("cpu"), flags.arguments("gpu")
    for words in (["--max-num-seqs", "3"], ["--enable-prefix-caching"], ["--max-loras", "2"], ["--enable-lora"]):
        assert all(" ".join(words) in " ".join(found) for found in (cpu, gpu))
    assert "--max-model-len 4096" in " ".join(gpu)
    assert "--enforce-eager" in cpu
    assert "--enforce-eager" not in gpu


def test_structured_output_names_its_backend_and_leaves_no_white_space() -> None:
    arguments = read_flags().arguments("gpu")
    config = json.loads(arguments[arguments.index("--structured-outputs-config") + 1])
    assert config == {"backend": "guidance", "disable_any_whitespace": True}


def test_no_key_stands_on_the_command_line() -> None:
    words = command("gpu", Path("/weights"), "base", "0.0.0.0", 8000, "/python")
    assert not [word for word in words if "key" in word]


def test_a_flag_without_its_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "flags.yaml"
    file.write_text("flags: {max-num-seqs: {value: 3}}\nenvironment: {}\n")
    with pytest.raises(Rejected, match="why"):
        read_flags(file)


def test_every_recipes_adapter_fits_into_what_vllm_is_started_with() -> None:
    most = read_flags().flags["max-lora-rank"].value
    recipes = Path(__file__).parents[3] / "trainer-job/recipes"
    ranks = {path.stem: yaml.safe_load(path.read_text())["lora"]["rank"] for path in recipes.glob("*.yaml")}
    assert {name: rank for name, rank in ranks.items() if rank > most} == {}
