"""The runtime: each stack gets the adapters it names, and pays for no other's."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import Unavailable
from shared.runtime import build
from shared.settings import Settings
from tests.emulators import environment

WITHOUT_GOOGLE = """
import sys
from shared.runtime import build
from shared.settings import Settings
build(Settings())
print([name for name in sys.modules if name.startswith(("google.cloud.", "google.api_core", "grpc"))])
"""


def test_the_embedded_stack_does_not_load_googles_clients() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_GOOGLE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_cloud_without_credentials_is_unavailable_and_says_so(tmp_path: Path) -> None:
    nothing = {"CLOUDSDK_CONFIG": str(tmp_path), "GOOGLE_APPLICATION_CREDENTIALS": "", "NO_GCE_CHECK": "true"}
    with environment(nothing), pytest.raises(Unavailable, match=r"Cloud Storage.*credentials"):
        build(Settings(stack="gcp"))
