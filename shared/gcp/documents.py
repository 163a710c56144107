"""Documents in Firestore: claims by create, compare-and-set by update time, and no transactions.

A document's data are JSON text in one field, because Firestore's own maps cannot hold all that a JSON
object can: no list in a list, no empty or reserved names, no large integers. Dead letters hold what
strangers sent, and must be storable whatever that is.

Every write carries a random mark. It tells a write of ours, repeated because its answer was lost, from
somebody else's that came first, and it makes each write a change, without which Firestore would keep
the update time, our version.
"""

import json
import uuid
from operator import attrgetter
from urllib.parse import quote, unquote

from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.api_core.exceptions import AlreadyExists, FailedPrecondition, NotFound
from google.api_core.retry import Retry
from google.cloud import firestore
from google.cloud.firestore_v1._helpers import WriteOption
from google.cloud.firestore_v1.base_document import DocumentSnapshot
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.document import DocumentReference
from google.cloud.firestore_v1.field_path import FieldPath

from shared.documents import Data, Document, as_text, split_path, split_prefix
from shared.gcp.clients import TRANSIENT, unavailable

PATIENCE_S = 30
AFTER_EVERY_ID = "\x7f"
"""Ids are escaped to what stands before this in ASCII."""


class FirestoreDocuments:
    """The documents of a Firestore database; a path's first part is the collection, the rest the id.

    `patience_s` is how long a call is repeated while the database is away; every call may be repeated safely.
    """

    def __init__(self, client: firestore.Client, patience_s: float = PATIENCE_S) -> None:
        self._client = client
        self._timeout_s = patience_s
        self._retry = Retry(predicate=TRANSIENT, initial=0.05, maximum=1, multiplier=2, timeout=patience_s)

    def get(self, path: str) -> Document | None:
        """Return a document, or None."""
        found = self._get(path)
        return _document(path, found) if found.exists else None

    def create(self, path: str, data: Data) -> bool:
        """Create a document unless there is one."""
        fields = _fields(data)
        with unavailable(f"document {path!r}"):
            try:
                self._reference(path).create(fields, retry=self._retry, timeout=self._timeout_s)
            except AlreadyExists:
                return self._wrote(path, fields)
        return True

    def replace(self, document: Document, data: Data) -> bool:
        """Replace the data if the update time is still the one that was read."""
        fields = _fields(data)
        with unavailable(f"document {document.path!r}"):
            try:
                self._reference(document.path).update(
                    fields, option=self._unchanged(document), retry=self._retry, timeout=self._timeout_s
                )
            except (FailedPrecondition, NotFound):
                return self._wrote(document.path, fields)
        return True

    def delete(self, path: str) -> bool:
        """Delete a document that exists."""
        return self._delete(path, self._client.write_option(exists=True))

    def discard(self, document: Document) -> bool:
        """Delete a document if the update time is still the one that was read."""
        return self._delete(document.path, self._unchanged(document))

    def list(self, prefix: str) -> list[Document]:
        """Return the documents of a range of ids."""
        collection, start = split_prefix(prefix)
        ids, name = self._client.collection(_escaped(collection)), FieldPath.document_id()
        query = ids.where(filter=FieldFilter(name, "<", ids.document(_escaped(start) + AFTER_EVERY_ID)))
        if start:
            query = query.where(filter=FieldFilter(name, ">=", ids.document(_escaped(start))))
        with unavailable(f"documents {prefix!r}"):
            found = list(query.stream(retry=self._retry, timeout=self._timeout_s))
        return sorted((_document(f"{collection}/{unquote(one.id)}", one) for one in found), key=attrgetter("path"))

    def _reference(self, path: str) -> DocumentReference:
        collection, name = split_path(path)
        return self._client.collection(_escaped(collection)).document(_escaped(name))

    def _get(self, path: str) -> DocumentSnapshot[DocumentReference]:
        with unavailable(f"document {path!r}"):
            return self._reference(path).get(retry=self._retry, timeout=self._timeout_s)

    def _wrote(self, path: str, fields: Data) -> bool:
        """Return whether a write that came too late came after itself: sent twice, as an answer was lost."""
        return bool((self._get(path).to_dict() or {}).get("mark") == fields["mark"])

    def _unchanged(self, document: Document) -> WriteOption:
        version = DatetimeWithNanoseconds.from_rfc3339(document.version)  # type: ignore[no-untyped-call]
        return self._client.write_option(last_update_time=version)

    def _delete(self, path: str, option: WriteOption) -> bool:
        with unavailable(f"document {path!r}"):
            try:
                self._reference(path).delete(option, retry=self._retry, timeout=self._timeout_s)
            except (FailedPrecondition, NotFound):
                return False
        return True


def _fields(data: Data) -> Data:
    return {"data": as_text(data), "mark": uuid.uuid4().hex}


def _document(path: str, found: DocumentSnapshot[DocumentReference]) -> Document:
    fields = found.to_dict() or {}
    return Document(path, json.loads(fields["data"]), found.update_time.rfc3339())


def _escaped(part: str) -> str:
    """Return a collection or an id that Firestore takes, so that a prefix stays one and no two become equal.

    It takes no `/`, nor `.`, `..` and `__names like this__`, which is why a first `.` or `_` is escaped too.
    """
    first = part[:1]
    return (f"%{ord(first):02X}" if first in (".", "_") else quote(first, safe="")) + quote(part[1:], safe="")
