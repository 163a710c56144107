"""The storage server as google-cloud-storage sees it: buckets, objects, listing, preconditions, versions."""

import gzip
import http.client
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from google.api_core.exceptions import BadRequest, Conflict, NotFound, NotModified, PreconditionFailed
from google.cloud import storage

from tests.storage import storage_client

ODD_NAMES = [
    "a/../b",
    "/slash/first",
    "a//b",
    "spaces in  it",
    "#?%&=+;",
    "%2F%00",
    "..a",
    "ünïcødé/日本/🏋",
    "x/o/y",
    "o/copyTo/b/o",
    "a\\b",
    "é" * 512,
]


@pytest.fixture(scope="module")
def client(storage_host: str) -> storage.Client:
    return storage_client(storage_host)


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    return client.create_bucket(f"test-{uuid.uuid4().hex}")


def put(bucket: storage.Bucket, name: str, data: bytes = b"some", **conditions: Any) -> storage.Blob:
    blob = bucket.blob(name)
    blob.upload_from_string(data, **conditions)
    return blob


def test_a_bucket_is_made_found_listed_and_deleted(client: storage.Client, bucket: storage.Bucket) -> None:
    assert client.get_bucket(bucket.name).name == bucket.name
    assert bucket.name in [found.name for found in client.list_buckets(prefix="test-", page_size=1)]
    bucket.delete()
    assert client.lookup_bucket(bucket.name) is None


def test_buckets_belong_to_projects(client: storage.Client, bucket: storage.Bucket) -> None:
    assert list(client.list_buckets(project="another-project", prefix=bucket.name)) == []


def test_a_bucket_is_made_once_and_not_deleted_with_something_in_it(
    client: storage.Client, bucket: storage.Bucket
) -> None:
    with pytest.raises(Conflict):
        client.create_bucket(bucket.name)
    put(bucket, "something")
    with pytest.raises(Conflict, match="not empty"):
        bucket.delete()
    bucket.delete(force=True)


def test_a_bucket_can_be_changed(client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.labels = {"tier": "test", "dropped": "yes"}
    bucket.patch()
    bucket.labels = {"tier": "test"}
    bucket.versioning_enabled = True
    bucket.patch(if_metageneration_match=2)
    found = client.get_bucket(bucket.name)
    assert (found.labels, found.versioning_enabled, found.metageneration) == ({"tier": "test"}, True, 3)
    with pytest.raises(PreconditionFailed):
        bucket.patch(if_metageneration_match=2)


@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: name[:12])
def test_any_name_works_everywhere(bucket: storage.Bucket, name: str) -> None:
    blob = put(bucket, name, b"one", if_generation_match=0)
    assert blob.download_as_bytes() == b"one"
    assert [found.name for found in bucket.list_blobs()] == [name]
    assert bucket.get_blob(name).name == name
    copy = bucket.copy_blob(blob, bucket, f"{name[:-1]}~")
    assert copy.download_as_bytes() == b"one"
    assert requests.get(copy.self_link, timeout=5).json()["name"] == copy.name
    blob.delete()
    assert not blob.exists()


@pytest.mark.parametrize("size_bytes", [0, 1, 300_000])
def test_what_goes_in_comes_out_with_its_hashes(bucket: storage.Bucket, size_bytes: int) -> None:
    data = bytes(range(256)) * (size_bytes // 256) + b"x" * (size_bytes % 256)
    blob = put(bucket, "data", data)
    for checksum in ("md5", "crc32c"):
        assert bucket.blob("data").download_as_bytes(checksum=checksum) == data
    assert (blob.size, blob.metageneration, blob.md5_hash is not None) == (size_bytes, 1, True)


def test_ranges(bucket: storage.Bucket) -> None:
    blob = put(bucket, "digits", b"0123456789")
    assert blob.download_as_bytes(start=3, end=5) == b"345"
    assert blob.download_as_bytes(start=7) == b"789"
    with blob.open("rb", chunk_size=4) as file:
        file.seek(2)
        assert file.read() == b"23456789"
    answer = requests.get(blob.media_link, headers={"Range": "bytes=-2"}, timeout=5)
    assert (answer.status_code, answer.content, answer.headers["Content-Range"]) == (206, b"89", "bytes 8-9/10")
    answer = requests.get(blob.media_link, headers={"Range": "bytes=10-"}, timeout=5)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */10")


def test_gzip_content_is_decompressed_for_who_does_not_take_it(bucket: storage.Bucket) -> None:
    packed = gzip.compress(b"plain")
    blob = bucket.blob("packed")
    blob.content_encoding = "gzip"
    blob.upload_from_string(packed)
    assert blob.download_as_bytes() == b"plain"
    assert blob.download_as_bytes(raw_download=True) == packed
    url = urlsplit(blob.media_link)
    connection = http.client.HTTPConnection(url.netloc)
    connection.request("GET", f"{url.path}?{url.query}")
    answer = connection.getresponse()
    assert (answer.read(), answer.headers["Content-Encoding"]) == (b"plain", None)
    connection.close()


def test_a_browser_gets_an_object_by_bucket_and_name(bucket: storage.Bucket, storage_host: str) -> None:
    bucket.blob("reports/index.html").upload_from_string("<p>", content_type="text/html; charset=utf-8")
    url = f"{storage_host}/{bucket.name}/reports/index.html"
    answer = requests.get(url, timeout=5)
    assert (answer.text, answer.headers["Content-Type"]) == ("<p>", "text/html; charset=utf-8")
    assert requests.get(url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=5).status_code == 304
    head = requests.head(url, timeout=5)
    assert (head.headers["Content-Length"], head.content) == ("3", b"")
    assert requests.get(url + "l", timeout=5).status_code == 404


def test_metadata_are_merged_by_patch_and_replaced_by_update(bucket: storage.Bucket) -> None:
    blob = put(bucket, "object")
    blob.metadata, blob.cache_control = {"a": "1", "b": "2"}, "no-store"
    blob.patch()
    blob.metadata = {"a": None, "c": "3"}
    blob.patch()
    found = bucket.get_blob("object")
    assert (found.metadata, found.cache_control, found.metageneration) == ({"b": "2", "c": "3"}, "no-store", 3)
    found.metadata = {"d": "4"}
    found.cache_control = None
    found.update(if_metageneration_match=3)
    found = bucket.get_blob("object")
    assert (found.metadata, found.cache_control, found.generation) == ({"d": "4"}, None, blob.generation)


def names(found: Any) -> list[str]:
    return [blob.name for blob in found]


def test_listing_is_in_byte_order_by_prefix_offsets_and_glob(bucket: storage.Bucket) -> None:
    everything = ["B", "a", "a/1", "a/2.txt", "a/b/3.txt", "a0", "é", "￿", "🏋"]
    for name in reversed(everything):
        put(bucket, name)
    assert names(bucket.list_blobs()) == everything
    assert names(bucket.list_blobs(prefix="a/")) == ["a/1", "a/2.txt", "a/b/3.txt"]
    assert names(bucket.list_blobs(prefix="🏋")) == ["🏋"]
    assert names(bucket.list_blobs(start_offset="a/1", end_offset="a0")) == ["a/1", "a/2.txt", "a/b/3.txt"]
    assert names(bucket.list_blobs(match_glob="a/*.txt")) == ["a/2.txt"]
    assert names(bucket.list_blobs(match_glob="**.txt")) == ["a/2.txt", "a/b/3.txt"]
    assert names(bucket.list_blobs(match_glob="a/{1,[!3-9].txt}")) == ["a/1", "a/2.txt"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
def test_pages_of_a_folded_listing_lose_and_repeat_nothing(bucket: storage.Bucket, page_size: int) -> None:
    for name in ["a/1", "a/2", "b", "c/1", "c/d/1", "d/", "d/e"]:
        put(bucket, name)
    listing = bucket.list_blobs(delimiter="/", page_size=page_size)
    pages = [names(page) for page in listing.pages]
    assert [name for page in pages for name in page] == ["b"]
    assert listing.prefixes == {"a/", "c/", "d/"}
    assert len(pages) >= 4 / page_size
    listing = bucket.list_blobs(prefix="c/", delimiter="/", page_size=page_size)
    assert (names(listing), listing.prefixes) == (["c/1"], {"c/d/"})
    listing = bucket.list_blobs(delimiter="/", include_trailing_delimiter=True, page_size=page_size)
    assert names(listing) == ["b", "d/"]
    assert names(bucket.list_blobs(page_size=page_size)) == ["a/1", "a/2", "b", "c/1", "c/d/1", "d/", "d/e"]


def test_compose_joins_and_copies_keep_content_and_metadata(bucket: storage.Bucket) -> None:
    first, second = put(bucket, "first", b"1" * 300_000), put(bucket, "second", b"2")
    whole = bucket.blob("whole")
    whole.content_type = "text/plain"
    whole.compose([first, second], if_generation_match=0, if_source_generation_match=[first.generation, None])
    found = bucket.get_blob("whole")
    assert found.download_as_bytes() == b"1" * 300_000 + b"2"
    assert (found.component_count, found.md5_hash, found.content_type) == (2, None, "text/plain")
    with pytest.raises(PreconditionFailed):
        whole.compose([first, second], if_source_generation_match=[1, None])
    copy = bucket.blob("copy")
    token, done, total = copy.rewrite(whole, if_generation_match=0)
    assert (token, done, total) == (None, 300_001, 300_001)
    found = bucket.get_blob("copy")
    assert (found.component_count, found.content_type, found.crc32c) == (2, "text/plain", whole.crc32c)
    whole.compose([whole, second, second], delete_source_objects=True)
    assert (whole.size, names(bucket.list_blobs())) == (300_003, ["copy", "first", "whole"])


def test_a_copy_outlives_what_it_was_made_of(bucket: storage.Bucket, client: storage.Client) -> None:
    other = client.create_bucket(f"{bucket.name}-other")
    source = put(bucket, "source", b"bytes")
    copy = bucket.copy_blob(source, other, "copy", if_generation_match=0, if_source_generation_match=source.generation)
    source.delete()
    assert copy.download_as_bytes() == b"bytes"
    with pytest.raises(NotFound):
        bucket.copy_blob(source, other, "again")


def test_an_object_is_moved_at_once(bucket: storage.Bucket) -> None:
    source = put(bucket, "from", b"bytes")
    moved = bucket.move_blob(source, "to", if_generation_match=0, if_source_generation_match=source.generation)
    assert (moved.download_as_bytes(), names(bucket.list_blobs())) == (b"bytes", ["to"])
    moved = bucket.rename_blob(moved, "back")
    assert (moved.download_as_bytes(), names(bucket.list_blobs())) == (b"bytes", ["back"])


def test_a_batch_does_all_and_reports_each(bucket: storage.Bucket, client: storage.Client) -> None:
    blobs = [put(bucket, f"blob {number} é") for number in range(5)]
    with client.batch():
        blobs[0].metadata = {"key": "värde"}
        blobs[0].patch()
        for blob in blobs[1:]:
            blob.delete()
    assert blobs[0].metadata == {"key": "värde"}
    assert names(bucket.list_blobs()) == ["blob 0 é"]
    batch = client.batch()
    with pytest.raises(NotFound), batch:
        bucket.delete_blobs([blobs[1], blobs[0]])
    assert names(bucket.list_blobs()) == []


def test_every_operation_honours_its_preconditions(bucket: storage.Bucket) -> None:
    blob = put(bucket, "object", b"one", if_generation_match=0)
    stale = blob.generation - 1
    blob.metadata = {"a": "b"}
    refused = [
        lambda: put(bucket, "object", if_generation_match=0),
        lambda: put(bucket, "object", if_generation_match=stale),
        lambda: put(bucket, "object", if_generation_not_match=blob.generation),
        lambda: put(bucket, "object", if_metageneration_match=2),
        lambda: put(bucket, "object", if_metageneration_not_match=1),
        lambda: put(bucket, "none", if_generation_match=stale),
        lambda: put(bucket, "none", if_generation_not_match=0),
        lambda: blob.patch(if_metageneration_match=2),
        lambda: blob.patch(if_generation_match=stale),
        lambda: blob.delete(if_generation_match=stale),
        lambda: blob.reload(if_metageneration_match=7),
        lambda: blob.download_as_bytes(if_generation_match=stale),
        lambda: blob.download_as_bytes(if_etag_match="other"),
        lambda: bucket.blob("copy").rewrite(blob, if_source_generation_match=stale),
        lambda: bucket.blob("object").rewrite(blob, if_generation_match=0),
    ]
    for number, call in enumerate(refused):
        with pytest.raises(PreconditionFailed):
            print(number, call())
    for conditions in ({"if_generation_not_match": blob.generation}, {"if_etag_not_match": blob.etag}):
        with pytest.raises(NotModified):
            bucket.blob("object").download_as_bytes(**conditions)
    assert (names(bucket.list_blobs()), blob.download_as_bytes()) == (["object"], b"one")
    blob.download_as_bytes(if_generation_match=blob.generation, if_metageneration_match=1, if_etag_match=blob.etag)
    put(bucket, "object", b"two", if_generation_match=blob.generation)
    assert put(bucket, "none", if_generation_match=0).generation > blob.generation


def test_generations_grow_and_old_ones_are_gone(bucket: storage.Bucket) -> None:
    generations = [put(bucket, "object", str(number).encode()).generation for number in range(20)]
    assert generations == sorted(set(generations))
    with pytest.raises(NotFound):
        bucket.blob("object", generation=generations[0]).download_as_bytes()


def test_a_versioned_bucket_keeps_what_was_overwritten_and_deleted(bucket: storage.Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.patch()
    first, second = put(bucket, "object", b"one"), put(bucket, "object", b"two")
    second.reload()
    bucket.delete_blob("object")
    assert names(bucket.list_blobs()) == []
    versions = list(bucket.list_blobs(versions=True, page_size=1))
    assert [blob.generation for blob in versions] == [first.generation, second.generation]
    assert all(blob.time_deleted for blob in versions)
    assert bucket.blob("object", generation=first.generation).download_as_bytes() == b"one"
    assert bucket.get_blob("object") is None
    restored = bucket.copy_blob(versions[0], bucket, "object", source_generation=first.generation)
    assert restored.download_as_bytes() == b"one"
    bucket.delete_blob("object", generation=second.generation)
    assert len(list(bucket.list_blobs(versions=True))) == 2


def test_a_download_under_way_survives_the_object_being_overwritten(bucket: storage.Bucket) -> None:
    data = b"old " * 2_000_000
    blob = put(bucket, "object", data)
    with requests.get(blob.media_link, stream=True, timeout=5) as answer:
        chunks: Iterator[bytes] = answer.iter_content(1 << 16)
        got = next(chunks)
        put(bucket, "object", b"new")
        got += b"".join(chunks)
    assert got == data


def test_missing_things_are_404_and_say_what_is_missing(client: storage.Client, bucket: storage.Bucket) -> None:
    with pytest.raises(NotFound, match="no object 'nothing'"):
        bucket.blob("nothing").download_as_bytes()
    with pytest.raises(NotFound, match="no bucket 'nowhere-at-all'"):
        put(client.bucket("nowhere-at-all"), "object")
    with pytest.raises(NotFound, match="no bucket"):
        list(client.list_blobs("nowhere-at-all"))
    with pytest.raises(NotFound):
        bucket.delete_blob("nothing")


def test_what_is_not_supported_says_so(bucket: storage.Bucket) -> None:
    with pytest.raises(BadRequest, match="has no GET"):
        bucket.get_iam_policy()
