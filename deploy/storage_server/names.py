"""Names and fields: what buckets and objects may be called, and what their owners may set."""

import re

from deploy.storage_server.stored import Fields
from shared.errors import Rejected

BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
LONGEST_NAME_BYTES = 1024
HEADER_FIELDS = ("contentType", "contentEncoding", "contentDisposition", "contentLanguage", "cacheControl")
"""Served as headers."""
OBJECT_FIELDS = (*HEADER_FIELDS, "customTime", "storageClass", "metadata")
BUCKET_FIELDS = frozenset(
    "versioning labels storageClass location locationType lifecycle cors website logging retentionPolicy billing "
    "defaultEventBasedHold iamConfiguration softDeletePolicy rpo autoclass encryption hierarchicalNamespace".split()
)
HEADER_VALUE = re.compile(r"[ -~\xa0-\xff]*")


def check_bucket_name(name: object) -> str:
    """Return a name that a bucket may have; raises Rejected."""
    if not isinstance(name, str) or not BUCKET.fullmatch(name):
        raise Rejected(f"{str(name)[:80]!r} is no name for a bucket: 3 or more of a-z 0-9 . _ -")
    return name


def check_object_name(name: object) -> str:
    """Return a name that an object may have; raises Rejected."""
    if not isinstance(name, str) or not name:
        raise Rejected("the object's name is missing")
    try:
        length = len(name.encode())
    except UnicodeEncodeError as exc:
        raise Rejected(f"{name[:80]!r} is no name for an object: not UTF-8") from exc
    if length > LONGEST_NAME_BYTES:
        raise Rejected(f"the object's name has {length} bytes; it may have {LONGEST_NAME_BYTES}")
    if name in (".", "..") or "\n" in name or "\r" in name or "\0" in name:
        raise Rejected(f"{name[:80]!r} is no name for an object")
    return name


def bucket_fields(resource: Fields) -> Fields:
    """Return what an owner may set of a bucket."""
    return {name: value for name, value in resource.items() if name in BUCKET_FIELDS and value is not None}


def object_fields(resource: Fields) -> Fields:
    """Return what an owner may set of an object; raises Rejected for values that it cannot have."""
    fields = {name: resource[name] for name in OBJECT_FIELDS if resource.get(name) is not None}
    for name, value in fields.items():
        if name == "metadata":
            _check_metadata(value)
        elif not isinstance(value, str):
            raise Rejected(f"{name} must be text, not {str(value)[:40]!r}")
        elif name in HEADER_FIELDS and not HEADER_VALUE.fullmatch(value):
            raise Rejected(f"{name} {value[:40]!r} cannot be sent in a header")
    return fields


def _check_metadata(value: object) -> None:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise Rejected("metadata must be an object of texts")


def patched(fields: Fields, patch: Fields) -> Fields:
    """Return fields with others merged in, where null removes one; objects are merged one level deep."""
    merged = dict(fields)
    for name, value in patch.items():
        old = merged.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            merged[name] = {key: item for key, item in {**old, **value}.items() if item is not None}
        else:
            merged[name] = _without_nulls(value)
    return {name: value for name, value in merged.items() if value is not None}


def _without_nulls(value: object) -> object:
    return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


def settable(resource: Fields) -> Fields:
    """Return what a patch says about the fields that an owner may set of an object, nulls included."""
    return {name: value for name, value in resource.items() if name in OBJECT_FIELDS}
