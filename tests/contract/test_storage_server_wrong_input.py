"""What the storage server makes of nonsense, of a command line that is wrong, and of being told to fail."""

import io
import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import requests
from google.api_core.exceptions import ServiceUnavailable
from google.cloud import storage

from tests.storage import storage_client, storage_server

BUCKET = "wrong-input"
UPLOAD = f"/upload/storage/v1/b/{BUCKET}/o"
OBJECT = f"/storage/v1/b/{BUCKET}/o/object"
RELATED = {"Content-Type": "multipart/related; boundary=x"}
DEEP = b"[" * 100_000


@pytest.fixture(scope="module")
def url(storage_host: str) -> str:
    bucket = storage_client(storage_host).create_bucket(BUCKET)
    bucket.blob("object").upload_from_string(b"data")
    return storage_host


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("POST", "/storage/v1/b", {}, b""),
        ("POST", "/storage/v1/b", {}, b"{"),
        ("POST", "/storage/v1/b", {}, DEEP),
        ("POST", "/storage/v1/b", {}, b"[]"),
        ("POST", "/storage/v1/b", {}, b'{"name": "UPPER"}'),
        ("POST", "/storage/v1/b", {}, b'{"name": 5}'),
        ("GET", "/storage/v1/b?maxResults=0", {}, b""),
        ("GET", f"/storage/v1/b/{BUCKET}/o?maxResults=many", {}, b""),
        ("GET", f"/storage/v1/b/{BUCKET}/o?pageToken=%C3%A9", {}, b""),
        ("GET", f"/storage/v1/b/{BUCKET}/o?pageToken=eHg=", {}, b""),
        ("GET", f"/storage/v1/b/{BUCKET}/o?prefix=%ff", {}, b""),
        ("GET", f"/storage/v1/b/{BUCKET}/o?matchGlob=[z-a]", {}, b""),
        ("GET", f"/storage/v1/b/{BUCKET}/o/%ff", {}, b""),
        ("GET", f"{OBJECT}?ifGenerationMatch=-1", {}, b""),
        ("GET", f"{OBJECT}?generation=99999999999999999999", {}, b""),
        ("GET", f"{OBJECT}?alt=media", {"Range": "bytes=x-"}, b""),
        ("GET", f"{OBJECT}?alt=media", {"Range": "bytes=--1"}, b""),
        ("PATCH", OBJECT, {}, b'{"metadata": 5}'),
        ("PATCH", OBJECT, {}, b'{"metadata": {"a": 5}}'),
        ("PATCH", OBJECT, {}, b'{"contentType": "a\\r\\nb"}'),
        ("PATCH", OBJECT, {}, '{"contentType": "日本"}'.encode()),
        ("PATCH", OBJECT, {"Content-Encoding": "gzip"}, b"no gzip"),
        ("POST", f"{OBJECT}/compose", {}, b"{}"),
        ("POST", f"{OBJECT}/compose", {}, b'{"sourceObjects": [5]}'),
        ("POST", f"{OBJECT}/compose", {}, b'{"sourceObjects": [{"name": "object", "generation": {}}]}'),
        ("POST", UPLOAD, {}, b""),
        ("POST", f"{UPLOAD}?uploadType=other&name=x", {}, b""),
        ("POST", f"{UPLOAD}?uploadType=media", {}, b"x"),
        ("POST", f"{UPLOAD}?uploadType=media&name=" + "n" * 1025, {}, b"x"),
        ("POST", f"{UPLOAD}?uploadType=media&name=.", {}, b"x"),
        ("POST", f"{UPLOAD}?uploadType=media&name=a%0Ab", {}, b"x"),
        ("POST", f"{UPLOAD}?uploadType=media&name=x&ifGenerationMatch=", {}, b"x"),
        ("POST", f"{UPLOAD}?uploadType=media&name=x&contentEncoding=%0D", {}, b"x"),
        ("POST", f"{UPLOAD}?uploadType=multipart", {}, b"x"),
        ("POST", f"{UPLOAD}?uploadType=multipart", RELATED, b"x"),
        ("POST", f"{UPLOAD}?uploadType=multipart", RELATED, b"--x\r\n\r\n{}\r\n--x\r\n\r\nno name\r\n--x--"),
        ("POST", f"{UPLOAD}?uploadType=multipart", RELATED, b'--x\r\n\r\n{"name":"\\ud800"}\r\n--x\r\n\r\n\r\n--x--'),
        ("POST", f"{UPLOAD}?uploadType=multipart", RELATED, b'--x\r\n\r\n{"name":"x"}\r\n--x\r\n\r\nnever ends'),
        ("POST", f"{UPLOAD}?uploadType=resumable", {}, b"{}"),
        ("PUT", UPLOAD, {}, b""),
        ("POST", "/batch/storage/v1", {}, b""),
        ("POST", "/batch/storage/v1", {"Content-Type": "multipart/mixed; boundary=x"}, b"--x\r\n\r\nnothing\r\n--x--"),
        ("POST", f"/storage/v1/b/{BUCKET}/notificationConfigs", {}, b"{}"),
        ("POST", f"/storage/v1/b/{BUCKET}/notificationConfigs", {}, b'{"topic": "t"}'),
    ],
)
def test_nonsense_is_400_and_says_what_is_wrong(
    url: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    answer = requests.request(method, url + path, data=body, headers=headers, timeout=5)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["errors"][0]["reason"]) == (400, 400, "invalid")
    assert len(error["message"]) > 10
    assert requests.get(f"{url}{OBJECT}?alt=media", timeout=5).content == b"data"


@pytest.mark.parametrize("range_", ["bytes 5-1/9", "bytes 0-9/5", "bytes x", "0-1/2", "bytes 0-1/2", "bytes 0-8/9"])
def test_a_wrong_content_range_is_400_and_does_not_spoil_the_upload(url: str, range_: str) -> None:
    name = uuid.uuid4().hex
    begun = requests.post(f"{url}{UPLOAD}?uploadType=resumable&name={name}", timeout=5)
    location = begun.headers["Location"]
    assert requests.put(location, data=b"data", headers={"Content-Range": range_}, timeout=5).status_code == 400
    assert requests.put(location, data=b"data", headers={"Content-Range": "bytes 0-3/4"}, timeout=5).status_code == 200
    assert requests.get(f"{url}/{BUCKET}/{name}", timeout=5).content == b"data"


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.storage_server", *arguments], capture_output=True, text=True, timeout=30
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--root"),
        (("--root", "{tmp}", "--port", "http"), "must be a number from 1 to 65535"),
        (("--root", "{tmp}/file", "--port", "9"), "cannot write to"),
        (("--root", "{tmp}", "--port", "9", "--fail-share", "5"), "must be a number from 0 to 1"),
        (("--root", "{tmp}", "--port", "9", "--pubsub", "nowhere"), "must be HOST:PORT"),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_says_why(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "file").touch()
    done = command(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_help_says_what_is_honoured() -> None:
    done = command("--help")
    assert (done.returncode, "Honoured" in done.stdout, "--fail-share" in done.stdout) == (0, True, True)


def test_a_share_of_the_calls_fails_before_or_after_the_work_is_done(tmp_path: Path) -> None:
    with storage_server(tmp_path, fail_share=0.5) as url:
        bucket = storage_client(url).create_bucket("bucket")
        failed = []
        for number in range(60):
            try:
                bucket.blob(f"object-{number}").upload_from_string(b"x", retry=None)
            except ServiceUnavailable:
                failed.append(f"object-{number}")
        done = {blob.name for blob in bucket.list_blobs()}
        assert 15 < len(failed) < 45
        assert 0 < len(done.intersection(failed)) < len(failed)


def test_the_client_gets_through_a_bad_day_by_trying_again(tmp_path: Path) -> None:
    with storage_server(tmp_path, fail_share=0.2) as url:
        bucket = storage_client(url).create_bucket("bucket")
        data = bytes(range(256)) * 4096
        for number in range(5):
            blob = storage.Blob(f"object-{number}", bucket, chunk_size=1 << 18)
            blob.upload_from_file(io.BytesIO(data), size=len(data))
            assert blob.download_as_bytes() == data
        assert len(list(bucket.list_blobs(page_size=2))) == 5


def test_answers_are_json_even_where_there_is_no_such_route(url: str) -> None:
    for method, path in (("POST", "/nothing"), ("DELETE", "/"), ("GET", f"/storage/v1/b/{BUCKET}/acl")):
        answer = requests.request(method, url + path, timeout=5)
        assert json.loads(answer.content)["error"]["code"] == answer.status_code
