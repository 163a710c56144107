"""Inbox in Cloud Storage: a bucket that keeps old generations, and notifies of new objects by itself."""

import uuid
from collections.abc import Mapping

import google.cloud.storage as gcs

from shared.errors import NotFound, Rejected
from shared.events import ConfigDropped
from shared.gcp.buckets import ABSENT, PATIENCE_S, PRECONDITION_FAILED, content_type, found, patient, reaching
from shared.gcp.clients import FAILURES, status, unavailable
from shared.inbox import MAX_CONFIG_BYTES


class BucketInbox:
    """The configs of a bucket. `patience_s` is how long a request is repeated while Cloud Storage is away.

    Every write is conditional on the generation that it replaces, and marked, so that one sent again because
    its answer was lost makes no second generation, which would be a second run.
    """

    def __init__(self, client: gcs.Client, bucket: str, patience_s: float = PATIENCE_S) -> None:
        self._client = client
        self._bucket = client.bucket(bucket)
        self._retry = patient(patience_s)

    def drop(self, name: str, data: bytes) -> ConfigDropped:
        """Upload the config over whatever generation there is; Cloud Storage notifies."""
        mark = {"mark": uuid.uuid4().hex}
        with reaching(self._bucket, name):
            while True:
                there = self._live(name)
                uploaded = there if there and there.metadata == mark else self._upload(name, data, mark, over=there)
                if uploaded:
                    return _dropped(uploaded)

    def read(self, dropped: ConfigDropped) -> bytes:
        """Download the generation, unless it is too large to be a config."""
        if dropped.bucket != self._bucket.name or not (dropped.name and dropped.generation.isdecimal()):
            raise NotFound(f"bucket {self._bucket.name} holds no such thing as {_uri(dropped)}")
        blob = self._bucket.blob(dropped.name, generation=int(dropped.generation))
        with reaching(self._bucket, dropped.name), found(self._bucket, f"config {dropped.name!r}"):
            blob.reload(retry=self._retry)
            if blob.size > MAX_CONFIG_BYTES:
                raise Rejected(f"{dropped.name} has {blob.size:,} bytes; a run config has at most {MAX_CONFIG_BYTES:,}")
            return bytes(blob.download_as_bytes(retry=self._retry))

    def write_error(self, dropped: ConfigDropped, error: bytes) -> None:
        """Upload `<name>.error.json`, unless there is one for this generation of the config or a later one."""
        name, told = f"{dropped.name}.error.json", {"config-generation": dropped.generation}
        with reaching(self._bucket, name):
            while True:
                there = self._live(name)
                if there and int((there.metadata or {}).get("config-generation", 0)) >= int(dropped.generation):
                    return
                if self._upload(name, error, told, over=there):
                    return

    def find(self, run_id: str) -> ConfigDropped:
        """Search all generations of all configs for the run's."""
        with unavailable(f"bucket {self._bucket.name}"):
            blobs = self._client.list_blobs(
                self._bucket,
                versions=True,
                fields="items(name,generation,timeCreated),nextPageToken",
                retry=self._retry,
            )
            drops = (_dropped(blob) for blob in blobs)
            for dropped in drops:
                if dropped.run_id == run_id:
                    return dropped
        raise NotFound(f"there is no run {run_id!r} here: no config was dropped for it")

    def _live(self, name: str) -> gcs.Blob | None:
        return self._bucket.get_blob(name, retry=self._retry)

    def _upload(self, name: str, data: bytes, metadata: Mapping[str, str], over: gcs.Blob | None) -> gcs.Blob | None:
        """Upload over a generation and return the new one, or None where there is another by now."""
        blob = self._bucket.blob(name)
        blob.metadata = dict(metadata)
        generation = over.generation if over else ABSENT
        try:
            blob.upload_from_string(
                data, content_type=content_type(name), if_generation_match=generation, retry=self._retry
            )
        except FAILURES as exc:
            if status(exc) != PRECONDITION_FAILED:
                raise
            return None
        return blob


def _dropped(blob: gcs.Blob) -> ConfigDropped:
    return ConfigDropped(
        bucket=blob.bucket.name,
        name=blob.name,
        generation=str(blob.generation),
        finalized_at=blob.time_created,
    )


def _uri(dropped: ConfigDropped) -> str:
    return f"gs://{dropped.bucket}/{dropped.name}#{dropped.generation}"
