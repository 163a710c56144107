"""Places: somewhere empty for a stack's adapters to keep things in, which other processes can be told of."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from shared.gcp import clients
from shared.runtime import Runtime, build
from shared.settings import Settings
from tests.emulators import environment

NOWHERE = {
    "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:9",
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
}
"""For the services that a test does not use."""


@dataclass(frozen=True)
class Place:
    """What a process is told: its settings, and Google's variables."""

    settings: Settings
    variables: dict[str, str] = field(default_factory=dict)

    def runtime(self) -> Runtime:
        """Return the adapters of this process for this place."""
        with environment(self.variables):
            return build(self.settings)


Fresh = Callable[[], Place]


def in_directory(directory: Path) -> Place:
    """Return a place on the embedded stack."""
    return Place(Settings(out=directory))


def on_google(hosts: dict[str, str]) -> Place:
    """Return a project, and buckets where there is a storage server, that nobody else uses."""
    name = f"test-{uuid.uuid4().hex[:20]}"
    settings = Settings(
        stack="emulators",
        project=name,
        artifact_bucket=f"{name}-artifacts",
        config_bucket=f"{name}-configs",
    )
    place = Place(settings, NOWHERE | hosts)
    if "STORAGE_EMULATOR_HOST" in hosts:
        _make_buckets(place)
    return place


def _make_buckets(place: Place) -> None:
    with environment(place.variables):
        client = clients.storage_client(place.settings.project)
    client.create_bucket(place.settings.artifact_bucket)
    configs = client.bucket(place.settings.config_bucket)
    configs.versioning_enabled = True
    configs.create()
    client.close()
