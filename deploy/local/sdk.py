"""SDK: Google's emulators on this machine: java with the jars of a Cloud SDK, or containers where Docker answers.

Java is started directly. `gcloud beta emulators ... start` costs a process more and, told to stop, leaves
its java behind.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from shared.errors import Unavailable

OLDEST_JAVA = 11
IMAGE = "google/cloud-sdk:emulators"
PLACES = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/usr/local/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/opt/homebrew/share/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
    "/snap/google-cloud-sdk/current",
    "/google-cloud-sdk",
)
JARS = {
    "pubsub": "platform/pubsub-emulator/lib/cloud-pubsub-emulator*.jar",
    "firestore": "platform/cloud-firestore-emulator/*firestore-emulator*.jar",
}
LOGGING = Path(__file__).with_name("java-logging.properties")
JAVA_IS_MISSING = f"a Java runtime, {OLDEST_JAVA} or newer (Debian: apt-get install default-jre-headless)"
JARS_ARE_MISSING = (
    "Google's emulators (gcloud components install pubsub-emulator cloud-firestore-emulator; Debian: "
    "apt-get install google-cloud-cli-pubsub-emulator google-cloud-cli-firestore-emulator)"
)

Emulator = Literal["pubsub", "firestore"]


class Emulators(Protocol):
    """A way to start the emulators."""

    def command(self, emulator: Emulator, port: int) -> tuple[str, ...]:
        """Return the command that runs an emulator on a port of 127.0.0.1 until it is told to stop."""


@dataclass(frozen=True, slots=True)
class Jars:
    """The emulators as java programs."""

    java: Path
    pubsub: Path
    firestore: Path

    def command(self, emulator: Emulator, port: int) -> tuple[str, ...]:
        """Return a java command, tuned to start fast: the serial collector, and no second compiler."""
        logging = f"-Djava.util.logging.config.file={LOGGING}"
        tuned = (str(self.java), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.language=en", logging)
        where = ("--host=127.0.0.1", f"--port={port}")
        if emulator == "pubsub":
            return (*tuned, "-Xmx256m", "-jar", str(self.pubsub), *where)
        main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
        return (*tuned, "-Xmx512m", "-cp", str(self.firestore), main, "start", *where)


@dataclass(frozen=True, slots=True)
class Containers:
    """The emulators in Google's image, on the host's network, so that pushes reach the functions."""

    python: str = sys.executable

    def command(self, emulator: Emulator, port: int) -> tuple[str, ...]:
        """Return a command that runs the container and, when told to stop, removes it."""
        inner = ("gcloud", "beta", "emulators", emulator, "start", f"--host-port=127.0.0.1:{port}")
        return (self.python, "-P", "-m", "deploy.local.container", IMAGE, *inner)


def find_emulators(environment: Mapping[str, str], places: Iterable[str] = PLACES) -> Emulators:
    """Return how to start the emulators; raises Unavailable saying what to install."""
    found, missing = find_jars(environment, places)
    if found is not None:
        return found
    if docker_answers():
        return Containers()
    what = " and ".join(missing)
    raise Unavailable(f"the emulators need {what}, or a running Docker engine; --stack embedded needs neither")


def find_jars(environment: Mapping[str, str], places: Iterable[str] = PLACES) -> tuple[Jars | None, list[str]]:
    """Return java and the jars of the Cloud SDKs of this machine, or what is missing, fit to be shown."""
    roots = sdk_roots(environment, places)
    java = find_java(environment)
    pubsub, firestore = _newest(roots, JARS["pubsub"]), _newest(roots, JARS["firestore"])
    if java is not None and pubsub is not None and firestore is not None:
        return Jars(java, pubsub, firestore), []
    absent = [] if java is not None else [JAVA_IS_MISSING]
    return None, absent if pubsub is not None and firestore is not None else [*absent, JARS_ARE_MISSING]


def sdk_roots(environment: Mapping[str, str], places: Iterable[str]) -> list[Path]:
    """Return the folders that may hold a Cloud SDK, the one asked for first."""
    named = [Path(environment["CLOUDSDK_ROOT_DIR"])] if environment.get("CLOUDSDK_ROOT_DIR") else []
    gcloud = shutil.which("gcloud", path=environment.get("PATH", ""))
    beside = [Path(gcloud).resolve().parents[1]] if gcloud else []
    home = [Path(environment["HOME"], "google-cloud-sdk")] if environment.get("HOME") else []
    return [*named, *beside, *home, *map(Path, places)]


def find_java(environment: Mapping[str, str]) -> Path | None:
    """Return a java that is new enough: JAVA_HOME's, or the first of PATH."""
    home = environment.get("JAVA_HOME")
    candidates = [str(Path(home, "bin", "java"))] if home else []
    if on_path := shutil.which("java", path=environment.get("PATH", "")):
        candidates.append(on_path)
    return next((Path(java) for java in candidates if _says_version(java) >= OLDEST_JAVA), None)


def java_version(text: str) -> int:
    """Return the feature release that `java -version` prints: 8 for "1.8.0_392", 17 for "17.0.15"; 0 for none."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found[1]) if found else 0


def docker_answers() -> bool:
    """Return whether a Docker engine can be used from here."""
    try:
        import docker
    except ImportError:
        return False
    try:
        with closing(docker.from_env(timeout=5)) as engine:
            return bool(engine.ping())
    except (docker.errors.DockerException, OSError):
        return False


def _says_version(java: str) -> int:
    try:
        # S603: it is the user's own java, by their own PATH.
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return java_version(done.stderr)


def _newest(roots: Iterable[Path], pattern: str) -> Path | None:
    """Return the jar with the highest version in the first root that has any."""
    for root in roots:
        if found := list(root.glob(pattern)):
            return max(found, key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)])
    return None
