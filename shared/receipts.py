"""Receipts: what makes a POST that is sent twice, because its answer was lost, happen once.

The receipt is a row written in the transaction of the effect itself: both are there or neither. The second
request breaks the receipt's primary key, which undoes all that it did, and is answered with the first's answer.
"""

import time
from typing import TypeVar

from pydantic import BaseModel

from shared.database import Database
from shared.endpoints import Answer, Receipt
from shared.errors import Conflict
from shared.statements import Asked, DatabaseRefused, Rows, Statement

T = TypeVar("T")

FORGET_EVERY_S = 3600.0


class Receipts:
    """The receipts of one service's schema; a key may come again for two days."""

    def __init__(self, database: Database, schema: str) -> None:
        self.database = database
        self.schema = schema
        self._forgot_at = time.monotonic()

    def run(self, user_id: str, receipt: Receipt, answer: Answer[T], *asked: Asked) -> tuple[Answer[T], list[Rows]]:
        """Run statements whose answer is known beforehand; returns the answer, this one's or the first one's.

        Without rows it was the first one's. Raises Conflict where the key was used for another request.
        """
        if receipt.key is None:
            return answer, self.database.run(user_id, *asked)
        try:
            return answer, self.database.run(user_id, self.kept(user_id, receipt, answer), *asked)[1:]
        except DatabaseRefused as exc:
            if exc.constraint != "receipts_pkey":
                raise
        return self.find(user_id, receipt), []

    def kept(self, user_id: str, receipt: Receipt, answer: Answer[T]) -> Asked:
        """Return what writes a receipt, to run in the transaction of its effect; old ones go now and then."""
        if time.monotonic() - self._forgot_at > FORGET_EVERY_S:
            self.forget_old()
        keep = Statement(
            f"INSERT INTO {self.schema}.receipts (user_id, key, digest, status, version, answer)"  # noqa: S608
            " VALUES (:user_id, :key, :digest, :status, :version, :answer)"
        )
        return keep(
            user_id=user_id,
            key=receipt.key,
            digest=receipt.digest,
            status=answer.status or 200,
            version=answer.version,
            answer=content_of(answer),
        )

    def forget_old(self) -> None:
        """Delete old receipts: run without a user, for whom the policy `expired` leaves just those."""
        self._forgot_at = time.monotonic()
        self.database.run(None, Statement(f"DELETE FROM {self.schema}.receipts")())  # noqa: S608

    def find(self, user_id: str, receipt: Receipt) -> Answer[T]:
        """Return the answer that was given under a key; raises Conflict where it was given to another request."""
        look = Statement(f"SELECT digest, status, version, answer FROM {self.schema}.receipts WHERE key = :key")  # noqa: S608
        ((found,),) = self.database.run(user_id, look(key=receipt.key))
        digest, status, version, text = found
        if digest != receipt.digest:
            raise Conflict("this Idempotency-Key was used for another request")
        return Answer(text.encode(), status, version, {"Idempotent-Replay": "true"})


def content_of(answer: Answer[T]) -> bytes:
    """Return an answer's content as it is stored."""
    if isinstance(answer.content, bytes):
        return answer.content
    return answer.content.model_dump_json().encode() if isinstance(answer.content, BaseModel) else b"null"
