"""Uploads to the storage server: every form, cut off and taken up again, killed, raced."""

import gzip
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from google.api_core.exceptions import BadRequest, NotFound, PreconditionFailed
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from tests.storage import StorageServer, storage_client

GRANULE = 1 << 18
RACERS = 32


@pytest.fixture
def bucket(storage_host: str) -> storage.Bucket:
    return storage_client(storage_host).create_bucket(f"test-{uuid.uuid4().hex}")


def content(bucket: storage.Bucket, name: str) -> bytes | None:
    blob = bucket.get_blob(name)
    return blob.download_as_bytes() if blob else None


def begin(url: str, bucket: str, name: str, **parameters: object) -> str:
    """Begin a resumable upload; returns where to send it."""
    parameters |= {"uploadType": "resumable", "name": name}
    answer = requests.post(f"{url}/upload/storage/v1/b/{bucket}/o", params=parameters, json={}, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.headers["Location"]


def send(location: str, data: bytes, range_: str, **headers: str) -> requests.Response:
    headers |= {"Content-Range": f"bytes {range_}"}
    return requests.put(location, data=data, headers=headers, timeout=5)


def small(blob: storage.Blob, data: bytes, **conditions: Any) -> None:
    blob.upload_from_string(data, **conditions)


def resumable(blob: storage.Blob, data: bytes, **conditions: Any) -> None:
    blob.chunk_size = GRANULE
    blob.upload_from_file(io.BytesIO(data), size=len(data), **conditions)


def endless(blob: storage.Blob, data: bytes, **conditions: Any) -> None:
    file = blob.open("wb", chunk_size=GRANULE, **conditions)
    try:
        for start in range(0, len(data), 100_000):
            file.write(data[start : start + 100_000])
        file.close()
    except BaseException:
        file.terminate()  # else the garbage collector closes it, which tries again
        raise


# What `open("wb")` writes fails with the exception below Google's own.
REFUSED = (PreconditionFailed, InvalidResponse)

FORMS = pytest.mark.parametrize("upload", [small, resumable, endless])


@FORMS
@pytest.mark.parametrize("size_bytes", [0, 1, GRANULE, 3 * GRANULE, 3 * GRANULE + 1])
def test_every_form_of_upload_brings_all_bytes(
    bucket: storage.Bucket, upload: Callable[..., None], size_bytes: int
) -> None:
    data = os.urandom(size_bytes)
    upload(bucket.blob("object"), data, if_generation_match=0)
    assert content(bucket, "object") == data


@FORMS
def test_every_form_of_upload_honours_preconditions(bucket: storage.Bucket, upload: Callable[..., None]) -> None:
    small(bucket.blob("object"), b"first")
    with pytest.raises(REFUSED, match="412"):
        upload(bucket.blob("object"), b"x" * 2 * GRANULE, if_generation_match=0)
    assert content(bucket, "object") == b"first"


def test_a_boundary_or_line_ends_in_the_content_are_content(bucket: storage.Bucket) -> None:
    for data in (b"\r\n--", b"\r\n", b"\n--===", b"--\r\n\r\n--", b"\r" * GRANULE, b"\r\n--" * GRANULE):
        small(bucket.blob("object"), data)
        assert content(bucket, "object") == data


def test_metadata_come_with_the_upload(bucket: storage.Bucket) -> None:
    for upload in (small, resumable):
        blob = bucket.blob(upload.__name__)
        blob.metadata, blob.content_language = {"clé": "värde"}, "de"
        upload(blob, b"x", content_type="text/x-thing")
        found = bucket.get_blob(blob.name)
        assert (found.metadata, found.content_language) == ({"clé": "värde"}, "de")
        assert found.content_type == "text/x-thing"


def test_media_upload_with_hash_header_gzip_and_chunks(bucket: storage.Bucket, storage_host: str) -> None:
    url = f"{storage_host}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name="
    data = os.urandom(GRANULE) * 3
    md5 = b64encode(hashlib.md5(data).digest()).decode()
    headers = {"Content-Type": "image/x", "X-Goog-Hash": f"md5={md5}"}
    for name, body, more in (
        ("plain", data, {}),
        ("gzip", gzip.compress(data[:1000]) + gzip.compress(data[1000:]), {"Content-Encoding": "gzip"}),
        ("chunked", (data[start : start + 7777] for start in range(0, len(data), 7777)), {}),
    ):
        answer = requests.post(url + name, data=body, headers=headers | more, timeout=5)
        assert (answer.status_code, answer.json()["contentType"]) == (200, "image/x"), answer.text
        assert content(bucket, name) == data


def test_wrong_hashes_are_refused_and_nothing_is_left(bucket: storage.Bucket, storage_host: str) -> None:
    blob = bucket.blob("object")
    blob.md5_hash = b64encode(b"0" * 16).decode()
    with pytest.raises(BadRequest, match="md5Hash"):
        blob.upload_from_string(b"data", checksum=None)
    blob = bucket.blob("object")
    blob.crc32c = "AAAAAA=="
    with pytest.raises(BadRequest, match="crc32c"):
        resumable(blob, b"data", checksum=None)
    location = begin(storage_host, bucket.name, "object")
    answer = send(location, b"data", "0-3/4", **{"X-Goog-Hash": "crc32c=AAAAAA=="})
    assert answer.status_code == 400
    assert list(bucket.list_blobs()) == []


def test_the_client_notices_what_was_changed_on_disk(tmp_path: Path) -> None:
    with StorageServer(tmp_path) as server:
        bucket = storage_client(server.url).create_bucket("bucket")
        small(bucket.blob("object"), b"right")
        [file] = [path for path in (tmp_path / "contents").glob("??/*") if path.is_file()]
        file.write_bytes(b"wrong")
        with pytest.raises(DataCorruption):
            bucket.blob("object").download_as_bytes()


def test_a_resumable_upload_step_by_step(bucket: storage.Bucket, storage_host: str) -> None:
    data = os.urandom(2 * GRANULE + 5)
    location = begin(storage_host, bucket.name, "object")
    asked = send(location, b"", "*/*")
    assert (asked.status_code, "Range" in asked.headers) == (308, False)
    answer = send(location, data[:GRANULE], f"0-{GRANULE - 1}/*")
    assert (answer.status_code, answer.headers["Range"]) == (308, f"bytes=0-{GRANULE - 1}")
    # What is there already is skipped; what is no whole granule yet is not kept.
    answer = send(location, data[: 2 * GRANULE + 1], f"0-{2 * GRANULE}/*")
    assert (answer.status_code, answer.headers["Range"]) == (308, f"bytes=0-{2 * GRANULE - 1}")
    gap = send(location, b"x", f"{2 * GRANULE + 1}-{2 * GRANULE + 1}/{len(data)}")
    assert (gap.status_code, "only" in gap.json()["error"]["message"]) == (400, True)
    for _ in range(2):  # the answer may have been lost
        answer = send(location, data[2 * GRANULE :], f"{2 * GRANULE}-{len(data) - 1}/{len(data)}")
        assert (answer.status_code, answer.json()["size"]) == (200, str(len(data)))
    assert send(location, b"", f"*/{len(data)}").json()["name"] == "object"
    assert content(bucket, "object") == data


def test_an_upload_can_be_cancelled_but_not_what_came_of_it(bucket: storage.Bucket, storage_host: str) -> None:
    location = begin(storage_host, bucket.name, "object")
    assert requests.delete(location, timeout=5).status_code == 499
    assert send(location, b"data", "0-3/4").status_code == 404
    location = begin(storage_host, bucket.name, "object")
    assert send(location, b"data", "0-3/4").status_code == 200
    assert requests.delete(location, timeout=5).status_code == 499
    assert content(bucket, "object") == b"data"


def test_preconditions_are_checked_again_at_the_end(bucket: storage.Bucket, storage_host: str) -> None:
    location = begin(storage_host, bucket.name, "object", ifGenerationMatch=0)
    small(bucket.blob("object"), b"faster")
    for _ in range(2):
        assert send(location, b"slower", "0-5/6").status_code == 412
    assert content(bucket, "object") == b"faster"


def test_a_body_that_breaks_off_makes_no_object(bucket: storage.Bucket, storage_host: str) -> None:
    head = (
        f"POST /upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=object HTTP/1.1\r\n"
        "Host: x\r\nContent-Length: 1000\r\n\r\nonly this"
    )
    host, port = storage_host.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        assert b"400" in connection.recv(1000)
    assert list(bucket.list_blobs()) == []


def test_uploads_and_objects_survive_a_server_that_is_killed(tmp_path: Path) -> None:
    data = os.urandom(4 * GRANULE + 1)
    with StorageServer(tmp_path) as server:
        bucket = storage_client(server.url).create_bucket("bucket")
        small(bucket.blob("small"), b"small")
        location = begin(server.url, "bucket", "big", ifGenerationMatch=0)
        send(location, data[: 2 * GRANULE], f"0-{2 * GRANULE - 1}/{len(data)}")
        with ThreadPoolExecutor(1) as pool:
            body = (data[start : start + 1000] for start in range(2 * GRANULE, len(data), 1000))
            under_way = pool.submit(requests.put, location, data=_slowly(body), timeout=30)
            server.stop(signal.SIGKILL)
            assert isinstance(under_way.exception(), requests.ConnectionError)
        server.start()
        asked = send(location, b"", f"*/{len(data)}")
        assert asked.status_code == 308
        there = int(asked.headers["Range"].rpartition("-")[2]) + 1
        assert there >= 2 * GRANULE
        assert send(location, data[there:], f"{there}-{len(data) - 1}/{len(data)}").status_code == 200
        assert (content(bucket, "small"), content(bucket, "big")) == (b"small", data)


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_server_that_is_killed_again_and_again(tmp_path: Path) -> None:
    with StorageServer(tmp_path) as server:
        bucket = storage_client(server.url).create_bucket("bucket")
        done = threading.Event()

        def write(writer: int) -> list[str]:
            acknowledged = []
            for number in range(100_000):
                name = f"{writer}-{number}"
                url = f"{server.url}/upload/storage/v1/b/bucket/o?uploadType=media&ifGenerationMatch=0&name={name}"
                try:
                    requests.post(url, data=name * 100, timeout=5).raise_for_status()
                    acknowledged.append(name)
                except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                    done.wait(0.01)
                if done.is_set():
                    break
            return acknowledged

        with ThreadPoolExecutor(8) as pool:
            writers = [pool.submit(write, writer) for writer in range(8)]
            for _ in range(4):
                done.wait(1)
                server.stop(signal.SIGKILL)
                server.start()
            done.set()
        acknowledged = {name for writer in writers for name in writer.result()}
        found = {blob.name for blob in bucket.list_blobs()}
        assert len(acknowledged) > 50
        assert acknowledged <= found
        for name in found:
            assert content(bucket, name) == (name * 100).encode()


def _slowly(body: Iterator[bytes]) -> Iterator[bytes]:
    for piece in body:
        threading.Event().wait(0.005)
        yield piece


def test_what_nobody_refers_to_is_removed_at_the_next_start(tmp_path: Path) -> None:
    with StorageServer(tmp_path) as server:
        bucket = storage_client(server.url).create_bucket("bucket")
        small(bucket.blob("object"), b"kept")
        small(bucket.blob("object"), b"kept now")
        begin(server.url, "bucket", "unfinished")
        orphan = tmp_path / "contents" / "ab" / f"ab{'0' * 30}"
        orphan.write_bytes(b"left over")
        os.utime(orphan, (0, 0))
        server.stop()
        server.start()
        assert not orphan.exists()
        assert len([path for path in (tmp_path / "contents").glob("??/*") if path.is_file()]) == 2
        assert content(bucket, "object") == b"kept now"


def test_of_racing_threads_exactly_one_creates(bucket: storage.Bucket) -> None:
    start = threading.Barrier(RACERS)

    def race(number: int) -> int | None:
        upload = (small, resumable, endless)[number % 3]
        start.wait()
        try:
            upload(bucket.blob("prize"), b"%d" % number, if_generation_match=0)
        except REFUSED:
            return None
        return number

    with ThreadPoolExecutor(RACERS) as pool:
        winners = [number for number in pool.map(race, range(RACERS)) if number is not None]
    assert len(winners) == 1
    assert content(bucket, "prize") == b"%d" % winners[0]


RACER = """
import json, sys, urllib.error, urllib.request
url, number = sys.argv[1:]
sys.stdin.readline()
won = []
for prize in range(20):
    request = urllib.request.Request(f"{url}&name=prize-{prize}", number.encode())
    try:
        urllib.request.urlopen(request)
        won.append(prize)
    except urllib.error.HTTPError as error:
        assert error.code == 412, error
print(json.dumps(won))
"""


@pytest.mark.slow
def test_of_racing_processes_exactly_one_creates(bucket: storage.Bucket, storage_host: str) -> None:
    url = f"{storage_host}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&ifGenerationMatch=0"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, url, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(RACERS)
    ]
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
    assert sorted(prize for prizes in won for prize in prizes) == list(range(20))
    for number, prizes in enumerate(won):
        for prize in prizes:
            assert content(bucket, f"prize-{prize}") == str(number).encode()


def test_compare_and_set_loses_no_update(bucket: storage.Bucket) -> None:
    small(bucket.blob("counter"), b"0", if_generation_match=0)

    def count(_: int) -> None:
        while True:
            found = bucket.get_blob("counter")
            try:
                value = int(found.download_as_bytes())
                small(bucket.blob("counter"), b"%d" % (value + 1), if_generation_match=found.generation)
            except (PreconditionFailed, NotFound):
                continue
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(24)))
    assert content(bucket, "counter") == b"24"


@pytest.mark.slow
def test_a_large_upload_takes_no_memory(tmp_path: Path) -> None:
    size_bytes = 200 << 20
    with StorageServer(tmp_path) as server:
        bucket = storage_client(server.url).create_bucket("bucket")
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
        before = sum(process.memory_info().rss for process in processes)
        url = f"{server.url}/upload/storage/v1/b/bucket/o?uploadType=media&name=large"
        requests.post(url, data=(bytes(1 << 20) for _ in range(200)), timeout=60).raise_for_status()
        with requests.get(f"{server.url}/bucket/large", stream=True, timeout=60) as answer:
            assert sum(map(len, answer.iter_content(1 << 20))) == size_bytes
        bucket.blob("twice").compose([bucket.blob("large"), bucket.blob("large")])
        assert sum(process.memory_info().rss for process in processes) - before < 30 << 20
