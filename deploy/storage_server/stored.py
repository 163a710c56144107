"""Stored: buckets and objects as they are kept, and as the API shows them."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from deploy.storage_server.contents import Content

Fields = dict[str, object]
"""What an owner may set; validated, plain JSON."""
STANDARD = "STANDARD"


@dataclass(frozen=True, slots=True)
class StoredBucket:
    """A bucket. Fields that the server does not act on are kept and shown."""

    name: str
    project: str
    metageneration: int
    created: str
    updated: str
    fields: Fields

    @classmethod
    def of_row(cls, row: sqlite3.Row) -> "StoredBucket":
        """Read a row of the table."""
        return cls(**{**dict(row), "fields": json.loads(row["fields"])})

    @property
    def generation(self) -> int:
        """Buckets have none; there is one as long as the bucket is there."""
        return 1

    @property
    def etag(self) -> str:
        """Changes whenever the bucket's metadata do."""
        return etag(self.generation, self.metageneration)

    @property
    def versioned(self) -> bool:
        """Whether overwritten and deleted objects stay as noncurrent generations."""
        versioning = self.fields.get("versioning")
        return isinstance(versioning, Mapping) and versioning.get("enabled") is True

    def resource(self, base_url: str) -> Fields:
        """Return the API's form."""
        return {
            "location": "US",
            "locationType": "multi-region",
            "storageClass": STANDARD,
            "rpo": "DEFAULT",
            **self.fields,
            "kind": "storage#bucket",
            "id": self.name,
            "name": self.name,
            "projectNumber": "1",
            "metageneration": str(self.metageneration),
            "timeCreated": self.created,
            "updated": self.updated,
            "etag": self.etag,
            "selfLink": f"{base_url}/storage/v1/b/{self.name}",
        }


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One generation of an object. Times are RFC 3339; `noncurrent_since` is None for the live one."""

    bucket: str
    name: str
    generation: int
    metageneration: int
    content: Content
    components: int | None
    created: str
    updated: str
    noncurrent_since: str | None
    fields: Fields

    @classmethod
    def of_row(cls, row: sqlite3.Row) -> "StoredObject":
        """Read a row of the table."""
        return cls(
            bucket=row["bucket"],
            name=row["name"],
            generation=row["generation"],
            metageneration=row["metageneration"],
            content=Content(row["content"], row["size_bytes"], row["crc32c"], row["md5"]),
            components=row["components"],
            created=row["created"],
            updated=row["updated"],
            noncurrent_since=row["noncurrent_since"],
            fields=json.loads(row["fields"]),
        )

    def to_row(self) -> tuple[object, ...]:
        """Return a row of the table."""
        content = self.content
        times = (self.created, self.updated, self.noncurrent_since)
        key = (self.bucket, self.name, self.generation, self.metageneration)
        hashes = (content.size_bytes, content.id, content.crc32c, content.md5, self.components)
        return (*key, *hashes, *times, json.dumps(self.fields))

    @property
    def etag(self) -> str:
        """Changes whenever content or metadata do."""
        return etag(self.generation, self.metageneration)

    @property
    def encoding(self) -> str | None:
        """How the content is compressed."""
        encoding = self.fields.get("contentEncoding")
        return str(encoding) if encoding else None

    def resource(self, base_url: str) -> Fields:
        """Return the API's form."""
        path = f"storage/v1/b/{self.bucket}/o/{quote(self.name, safe='')}"
        optional = {
            "md5Hash": self.content.md5,
            "componentCount": self.components,
            "timeDeleted": self.noncurrent_since,
        }
        return {
            "storageClass": STANDARD,
            **self.fields,
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{base_url}/{path}",
            "mediaLink": f"{base_url}/download/{path}?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "size": str(self.content.size_bytes),
            "crc32c": self.content.crc32c,
            "etag": self.etag,
            "timeCreated": self.created,
            "updated": self.updated,
            "timeStorageClassUpdated": self.created,
            "timeFinalized": self.created,
            **{name: value for name, value in optional.items() if value is not None},
        }


def etag(generation: int, metageneration: int) -> str:
    """Return an entity tag of a generation and its metageneration."""
    return f"{generation:x}.{metageneration:x}"
