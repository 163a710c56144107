"""The storage server as `gcloud storage` sees it."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud import storage

from tests.storage import storage_client

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="this test needs gcloud, of Google's Cloud SDK"),
]
Gcloud = Callable[..., str]


@pytest.fixture
def bucket(storage_host: str) -> storage.Bucket:
    return storage_client(storage_host).create_bucket(f"test-{uuid.uuid4().hex}")


@pytest.fixture
def gcloud(storage_host: str, tmp_path: Path) -> Gcloud:
    settings = {
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{storage_host}/storage/v1/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": "fitsense-local",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED": "true",
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_THRESHOLD": "4M",
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_COMPONENT_SIZE": "2M",
        "CLOUDSDK_STORAGE_RESUMABLE_THRESHOLD": "1M",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["gcloud", "storage", *arguments], env=os.environ | settings, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_config_is_dropped_listed_read_moved_and_removed(
    gcloud: Gcloud, bucket: storage.Bucket, tmp_path: Path
) -> None:
    (tmp_path / "run.yaml").write_text("users: 5 # é\n")
    gcloud("cp", "run.yaml", f"gs://{bucket.name}/runs/")
    assert bucket.get_blob("runs/run.yaml").download_as_text() == "users: 5 # é\n"
    assert gcloud("ls", f"gs://{bucket.name}") == f"gs://{bucket.name}/runs/\n"
    assert gcloud("cat", f"gs://{bucket.name}/runs/*.yaml") == "users: 5 # é\n"
    gcloud("mv", f"gs://{bucket.name}/runs/run.yaml", f"gs://{bucket.name}/runs/a #b.yaml")
    assert gcloud("ls", "-r", f"gs://{bucket.name}/**") == f"gs://{bucket.name}/runs/a #b.yaml\n"
    gcloud("rm", "-r", f"gs://{bucket.name}")
    assert not bucket.exists()


def test_a_big_file_goes_up_in_parts_and_comes_down_whole(
    gcloud: Gcloud, bucket: storage.Bucket, tmp_path: Path
) -> None:
    data = os.urandom(9 << 20)
    (tmp_path / "big.bin").write_bytes(data)
    gcloud("cp", "big.bin", f"gs://{bucket.name}/big.bin")
    assert [blob.name for blob in bucket.list_blobs()] == ["big.bin"]
    assert (bucket.get_blob("big.bin").component_count or 0) > 1
    gcloud("cp", f"gs://{bucket.name}/big.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == data


def test_compressed_transport_and_content(gcloud: Gcloud, bucket: storage.Bucket, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("text\n" * 1000)
    gcloud("cp", "--gzip-in-flight-all", "text.txt", f"gs://{bucket.name}/in-flight.txt")
    gcloud("cp", "--gzip-local-all", "text.txt", f"gs://{bucket.name}/local.txt")
    assert bucket.get_blob("in-flight.txt").size == 5000
    assert bucket.get_blob("local.txt").size < 500
    for name in ("in-flight.txt", "local.txt"):
        gcloud("cp", f"gs://{bucket.name}/{name}", "back.txt")
        assert (tmp_path / "back.txt").read_text() == "text\n" * 1000
