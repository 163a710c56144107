"""Finding Google's emulators: which java, which jars, and what is said where they are not."""

from pathlib import Path

import pytest

from deploy.local import sdk
from deploy.local.sdk import Containers, Jars, find_emulators, find_jars, java_version
from shared.errors import Unavailable

PUBSUB = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-{}-all.jar"
FIRESTORE = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"


@pytest.fixture
def java(tmp_path: Path) -> Path:
    return make_java(tmp_path / "bin" / "java", "17.0.15")


def make_java(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-04-15' >&2\n")
    path.chmod(0o755)
    return path


def make_sdk(root: Path, *pubsub_versions: str) -> Path:
    for jar in (*map(PUBSUB.format, pubsub_versions), FIRESTORE):
        (root / jar).parent.mkdir(parents=True, exist_ok=True)
        (root / jar).touch()
    return root


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_392"', 8),
        ("Error: could not find libjava.so", 0),
    ],
)
def test_the_feature_release_is_what_counts_of_a_java_version(text: str, version: int) -> None:
    assert java_version(text) == version


def test_the_jars_are_found_beside_gcloud_wherever_its_link_stands(tmp_path: Path, java: Path) -> None:
    root = make_sdk(tmp_path / "sdk", "0.8.20")
    (root / "bin").mkdir()
    (root / "bin" / "gcloud").write_text("#!/bin/sh\n")
    (root / "bin" / "gcloud").chmod(0o755)
    (java.parent / "gcloud").symlink_to(root / "bin" / "gcloud")
    found, missing = find_jars({"PATH": str(java.parent)}, places=())
    assert found == Jars(java, root / PUBSUB.format("0.8.20"), root / FIRESTORE)
    assert missing == []


def test_the_sdk_that_was_asked_for_comes_first_and_home_before_the_usual_places(tmp_path: Path, java: Path) -> None:
    asked, home, usual = (make_sdk(tmp_path / name, "1.0") for name in ("asked", "h/google-cloud-sdk", "usual"))
    path = {"PATH": str(java.parent)}
    for variables, root in (
        ({"CLOUDSDK_ROOT_DIR": str(asked), "HOME": str(tmp_path / "h")}, asked),
        ({"HOME": str(tmp_path / "h")}, home),
        ({}, usual),
    ):
        found, _ = find_jars(path | variables, places=(str(usual),))
        assert found is not None
        assert found.firestore == root / FIRESTORE


def test_of_several_versions_the_highest_number_is_taken(tmp_path: Path, java: Path) -> None:
    root = make_sdk(tmp_path / "sdk", "0.8.9", "0.8.20", "0.7.30")
    found, _ = find_jars({"PATH": str(java.parent)}, places=(str(root),))
    assert found is not None
    assert found.pubsub.name == "cloud-pubsub-emulator-0.8.20-all.jar"


def test_java_home_is_asked_before_the_path(tmp_path: Path, java: Path) -> None:
    root = make_sdk(tmp_path / "sdk", "0.8.20")
    home = make_java(tmp_path / "jdk" / "bin" / "java", "21.0.2")
    found, _ = find_jars({"PATH": str(java.parent), "JAVA_HOME": str(tmp_path / "jdk")}, places=(str(root),))
    assert found is not None
    assert found.java == home


@pytest.mark.parametrize("version", ["1.8.0_392", "10.0.2"])
def test_a_java_that_is_too_old_is_none(tmp_path: Path, version: str) -> None:
    root = make_sdk(tmp_path / "sdk", "0.8.20")
    java = make_java(tmp_path / "bin" / "java", version)
    found, missing = find_jars({"PATH": str(java.parent)}, places=(str(root),))
    assert found is None
    assert missing == [sdk.JAVA_IS_MISSING]


def test_what_is_missing_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(Unavailable) as caught:
        find_emulators({}, places=())
    text = str(caught.value)
    assert "apt-get install default-jre-headless" in text
    assert "gcloud components install pubsub-emulator cloud-firestore-emulator" in text
    assert "Docker" in text
    assert "--stack embedded" in text
    assert "\n" not in text


def test_java_listens_on_the_port_of_this_machine_only() -> None:
    jars = Jars(Path("/usr/bin/java"), Path("/sdk/pubsub.jar"), Path("/sdk/firestore.jar"))
    for emulator, jar in (("pubsub", "/sdk/pubsub.jar"), ("firestore", "/sdk/firestore.jar")):
        command = jars.command(emulator, 8085)  # type: ignore[arg-type]
        assert command[0] == "/usr/bin/java"
        assert jar in command
        assert command[-2:] == ("--host=127.0.0.1", "--port=8085")


def test_in_a_container_the_emulator_listens_on_the_port_of_this_machine_too() -> None:
    command = Containers().command("pubsub", 8085)
    assert command[-6:] == ("gcloud", "beta", "emulators", "pubsub", "start", "--host-port=127.0.0.1:8085")
