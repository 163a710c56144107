"""Artifacts in Cloud Storage: created where the object's generation is still 0, which is atomic.

Every request may be repeated, because it creates only what is absent or changes nothing. An artifact is
uploaded while it is written, a chunk at a time; one that fits in a chunk takes a single request.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import google.cloud.storage as gcs
from google.api_core.exceptions import RequestRangeNotSatisfiable
from google.api_core.retry import Retry
from google.cloud.storage.fileio import BlobWriter

from shared.artifacts import Writer, normal_name
from shared.gcp.buckets import (
    ABSENT,
    NOT_FOUND,
    PATIENCE_S,
    PRECONDITION_FAILED,
    content_type,
    found,
    patient,
    reaching,
)
from shared.gcp.clients import FAILURES, status, unavailable

log = logging.getLogger("fitsense.artifacts")

CHUNK_BYTES = 1 << 20
"""What is held of an artifact in memory, and sent or fetched at once; uploads need a multiple of 256 KiB."""


class GcsStore:
    """The artifacts of a bucket. `patience_s` is how long a request is repeated while Cloud Storage is away."""

    def __init__(self, client: gcs.Client, bucket: str, patience_s: float = PATIENCE_S) -> None:
        self._client = client
        self._bucket = client.bucket(bucket)
        self._retry = patient(patience_s)

    @contextmanager
    def writer(self, name: str) -> Iterator[Writer]:
        """Upload what is written; the object comes to be with the upload's last request, or not at all."""
        upload = _Upload(self._blob(name), self._retry)
        try:
            yield upload
            upload.finish()
        except BaseException:
            upload.abandon()
            raise

    def create(self, name: str, data: bytes, durable: bool = True) -> bool:
        """Create an artifact; Cloud Storage always makes it durable."""
        del durable
        with self.writer(name) as file:
            file.write(data)
        return file.created

    def exists(self, name: str) -> bool:
        """Ask for the object's name."""
        with reaching(self._bucket, name):
            return bool(self._blob(name).exists(retry=self._retry))

    def read(self, name: str) -> bytes:
        """Return the object whole, checked against its checksum."""
        with reaching(self._bucket, name), found(self._bucket, f"artifact {name!r}"):
            return bytes(self._blob(name).download_as_bytes(retry=self._retry))

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the object's lines, fetching a chunk when the last one is used up."""
        rest = b""
        for chunk in self.pieces(name):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def names(self, prefix: str) -> list[str]:
        """Return the names on all pages of a listing."""
        normal_name(prefix)
        with unavailable(f"bucket {self._bucket.name}"):
            blobs = self._client.list_blobs(
                self._bucket, prefix=prefix, fields="items(name),nextPageToken", retry=self._retry
            )
            return sorted(blob.name for blob in blobs)

    def delete(self, name: str) -> bool:
        """Delete the object. Where the answer to a deletion was lost and it is asked again, there was none."""
        with reaching(self._bucket, name):
            try:
                self._blob(name).delete(retry=self._retry)
            except FAILURES as exc:
                if status(exc) != NOT_FOUND:
                    raise
                return False
        return True

    def uri(self, name: str) -> str:
        """Return the object's gs:// URI."""
        return f"gs://{self._bucket.name}/{normal_name(name)}"

    def _blob(self, name: str) -> gcs.Blob:
        return self._bucket.blob(normal_name(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the object in chunks; the last is short, and empty where the others fill the object."""
        blob, start, chunk = self._blob(name), 0, b""
        while start == 0 or len(chunk) == CHUNK_BYTES:
            with reaching(self._bucket, name), found(self._bucket, f"artifact {name!r}"):
                chunk = _range(blob, start, start + CHUNK_BYTES - 1, self._retry)
            yield chunk
            start += CHUNK_BYTES


def _range(blob: gcs.Blob, first: int, last: int, retry: Retry) -> bytes:
    try:
        return bytes(blob.download_as_bytes(start=first, end=last, checksum=None, retry=retry))
    except RequestRangeNotSatisfiable:
        return b""


class _Upload:
    """An artifact on its way: held in memory while it is small, then a resumable upload.

    The mark in the object's metadata tells this upload, sent again because its answer was lost, from
    somebody else's that came first.
    """

    def __init__(self, blob: gcs.Blob, retry: Retry) -> None:
        self.created = False
        self._blob = blob
        self._retry = retry
        self._mark = uuid.uuid4().hex
        blob.metadata = {"mark": self._mark}
        self._held = BytesIO()
        self._stream: _Stream | None = None
        self._too_late = False

    def write(self, data: bytes) -> None:
        self._held.write(data)
        if self._held.tell() >= CHUNK_BYTES:
            with self._if_absent():
                self._send_held()

    def finish(self) -> None:
        """Send what is held and make the object visible, unless there is one by now."""
        with self._if_absent():
            if self._stream:
                self._send_held()
                self._stream.close()
            elif not self._too_late:
                self._send_whole()
            self.created = not self._too_late
        if self._too_late:
            self.abandon()
            self.created = self._is_mine()

    def abandon(self) -> None:
        """Cancel the upload. Where that fails nothing is visible either, and Cloud Storage forgets it in a week."""
        if self._stream:
            try:
                self._stream.terminate()
            except FAILURES as exc:
                log.info("could not cancel an upload: %s", exc, extra={"artifact": self._blob.name})

    def _send_held(self) -> None:
        held, self._held = self._held.getvalue(), BytesIO()
        if self._too_late:
            return
        self._stream = self._stream or _Stream(
            self._blob,
            chunk_size=CHUNK_BYTES,
            retry=self._retry,
            if_generation_match=ABSENT,
            content_type=content_type(self._blob.name),
        )
        self._stream.write(held)

    def _send_whole(self) -> None:
        self._blob.upload_from_string(
            self._held.getvalue(),
            content_type=content_type(self._blob.name),
            if_generation_match=ABSENT,
            retry=self._retry,
        )

    @contextmanager
    def _if_absent(self) -> Iterator[None]:
        """Note where the store says that the object exists, which is no error."""
        with reaching(self._blob.bucket, self._blob.name):
            try:
                yield
            except FAILURES as exc:
                if status(exc) != PRECONDITION_FAILED:
                    raise
                self._too_late = True

    def _is_mine(self) -> bool:
        with reaching(self._blob.bucket, self._blob.name):
            there = self._blob.bucket.get_blob(self._blob.name, retry=self._retry)
        return bool(there and (there.metadata or {}).get("mark") == self._mark)


class _Stream(BlobWriter):  # type: ignore[misc]
    """A resumable upload that is complete when it is closed, and only then.

    Python closes a file that is dropped, as after a failed cancel; this one would complete half an artifact.
    """

    def __del__(self) -> None:
        pass
