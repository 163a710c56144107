"""The registry: manifests that vouch for files, an index, pointers that move by compare-and-set."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared import registry
from shared.artifacts import DirectoryStore
from shared.documents import SqliteDocuments
from shared.errors import Conflict, NotFound
from shared.registry import ModelManifest, Pointer
from tests.models import RUN_ID, other_digest, put_model


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path)


@pytest.fixture
def documents(tmp_path: Path) -> SqliteDocuments:
    return SqliteDocuments(tmp_path / "documents.sqlite")


def test_a_version_is_of_run_recipe_and_base_and_of_nothing_else() -> None:
    version = registry.version_of(RUN_ID, "digest", "tiny")
    assert version == registry.version_of(RUN_ID, "digest", "tiny")
    assert version.startswith(f"{RUN_ID}-")
    others = {registry.version_of(RUN_ID, "other", "tiny"), registry.version_of(RUN_ID, "digest", "larger")}
    assert len(others | {version}) == 3


def test_a_manifest_comes_back_and_vouches_for_every_file_beside_it(store: DirectoryStore) -> None:
    manifest = put_model(store)
    assert registry.read_manifest(store, manifest.version) == manifest
    assert set(manifest.files) == {
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "eval_report.json",
    }
    assert registry.tampering(store, manifest) == ()


def test_a_manifest_that_is_there_is_not_written_over(store: DirectoryStore) -> None:
    manifest = put_model(store)
    registry.write_manifest(store, manifest.model_copy(update={"git_commit": "1" * 40}))
    assert registry.read_manifest(store, manifest.version) == manifest


def test_one_changed_bit_and_a_missing_file_are_both_told(store: DirectoryStore) -> None:
    manifest = put_model(store)
    weights = Path(store.uri(registry.model_file(manifest.version, "adapter/adapter_model.safetensors")))
    content = bytearray(weights.read_bytes())
    content[500] ^= 1
    weights.write_bytes(content)
    Path(store.uri(registry.model_file(manifest.version, "adapter/adapter_config.json"))).unlink()
    missing, changed = registry.tampering(store, manifest)
    assert missing == "adapter/adapter_config.json is missing"
    assert changed.startswith("adapter/adapter_model.safetensors has sha256")


def test_a_manifest_without_the_report_is_not_trusted(store: DirectoryStore) -> None:
    manifest = put_model(store)
    files = {name: digest for name, digest in manifest.files.items() if name != "eval_report.json"}
    assert registry.tampering(store, manifest.model_copy(update={"files": files})) == (
        "eval_report.json is not among the files of the manifest",
    )


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "adapter/../../x", "", ".hidden"])
def test_a_manifest_names_no_file_outside_its_folder(store: DirectoryStore, name: str) -> None:
    fields = put_model(store).model_dump() | {"files": {name: other_digest().model_dump()}}
    with pytest.raises(ValidationError, match="files"):
        ModelManifest.model_validate(fields)


def test_a_version_that_nobody_made_is_not_found_and_a_broken_manifest_is_in_conflict(store: DirectoryStore) -> None:
    with pytest.raises(NotFound, match="there is no model 20260101T000000Z-00000000-00000000"):
        registry.read_manifest(store, "20260101T000000Z-00000000-00000000")
    version = registry.version_of(RUN_ID, "broken", "tiny")
    store.create(registry.model_file(version, "manifest.json"), b"{")
    with pytest.raises(Conflict, match="the manifest of"):
        registry.read_manifest(store, version)


def test_a_version_is_listed_once_and_keeps_what_servers_said(
    store: DirectoryStore, documents: SqliteDocuments
) -> None:
    manifest = put_model(store)
    registry.note_served(documents, manifest.version, "dev")
    assert registry.models(documents) == []
    registry.register(documents, manifest, "uri")
    first = registry.model(documents, manifest.version)
    registry.register(documents, manifest, "another uri")
    assert registry.models(documents) == [first]
    assert (first.manifest_uri, first.served_in, first.run_id) == ("uri", ("dev",), RUN_ID)


@pytest.mark.parametrize("version", ["", "x", "a/b", "\n", "20260101T000000Z-00000000-00000000"])
def test_what_is_not_listed_is_not_found(documents: SqliteDocuments, version: str) -> None:
    with pytest.raises(NotFound, match="there is no model"):
        registry.model(documents, version)


def test_a_pointer_moves_only_from_where_it_was_seen(documents: SqliteDocuments) -> None:
    first, second = (Pointer(version=f"{RUN_ID}-{digit * 8}", decision_id=digit) for digit in "12")
    _, nothing = registry.pointer(documents, "dev")
    assert registry.move(documents, "dev", nothing, first)
    assert not registry.move(documents, "dev", nothing, second)
    found, seen = registry.pointer(documents, "dev")
    assert found == first
    assert registry.move(documents, "dev", seen, second)
    assert not registry.move(documents, "dev", seen, first)


def test_being_served_is_noted_of_the_model_for_good_and_of_the_pointer_while_it_points_there(
    store: DirectoryStore, documents: SqliteDocuments
) -> None:
    manifest = put_model(store)
    registry.register(documents, manifest, "uri")
    registry.note_load_failure(documents, manifest.version, "dev", "out of memory")
    assert registry.model(documents, manifest.version).load_failures == {"dev": "out of memory"}
    registry.move(documents, "dev", None, Pointer(version=manifest.version, decision_id="1"))
    registry.note_served(documents, manifest.version, "dev")
    registry.note_served(documents, manifest.version, "dev")
    found, seen = registry.pointer(documents, "dev")
    assert found
    assert found.served
    registry.move(documents, "dev", seen, Pointer(version=f"{RUN_ID}-00000000", decision_id="2"))
    registry.note_served(documents, manifest.version, "dev")
    found, _ = registry.pointer(documents, "dev")
    assert found
    assert not found.served
    record = registry.model(documents, manifest.version)
    assert (record.served_in, record.load_failures) == (("dev",), {})
