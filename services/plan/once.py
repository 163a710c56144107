"""Once: a POST that is sent twice under one Idempotency-Key has one effect, and one answer.

The receipt is written in the transaction of the effect. Who comes second with an effect that took a while, as
a model's answer does, is undone by the receipt's primary key and told what the first was told.
"""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection, text

from services.plan.deps import Deps
from shared.endpoints import Answer, Receipt
from shared.errors import NotFound
from shared.receipts import content_of
from shared.statements import DatabaseRefused, Statement

M = TypeVar("M", bound=BaseModel)

_FIND = Statement("SELECT 1 FROM plan.receipts WHERE user_id = :user_id AND key = :key")


def before(deps: Deps, user_id: str, receipt: Receipt) -> Answer[M] | None:
    """Return the answer that was given under the key; raises Conflict where it was given to another request."""
    if receipt.key is None or not deps.database.run(user_id, _FIND(user_id=user_id, key=receipt.key))[0]:
        return None
    return deps.receipts.find(user_id, receipt)


def once(deps: Deps, user_id: str, receipt: Receipt, make: Callable[[Connection], Answer[M]]) -> Answer[M]:
    """Return what `make` answers within a transaction, or what was answered under the key before."""
    try:
        with deps.database.transaction(user_id) as connection:
            answer = make(connection)
            if receipt.key is not None:
                keep(connection, user_id, receipt, answer)
            return answer
    except DatabaseRefused as exc:
        if exc.constraint != "receipts_pkey":
            raise _explained(exc) from exc
    return deps.receipts.find(user_id, receipt)


def keep(connection: Connection, user_id: str, receipt: Receipt, answer: Answer[M]) -> None:
    """Write the receipt of an answer."""
    connection.execute(
        text(
            "INSERT INTO plan.receipts (user_id, key, digest, status, version, answer)"
            " VALUES (:user_id, :key, :digest, :status, :version, :answer)"
        ),
        {
            "user_id": user_id,
            "key": receipt.key,
            "digest": receipt.digest,
            "status": answer.status or 200,
            "version": answer.version,
            "answer": content_of(answer).decode(),
        },
    )


def _explained(exc: DatabaseRefused) -> Exception:
    """Return a foreign key that is broken as what it means: the user was deleted meanwhile."""
    return NotFound("this account does not exist any more") if exc.sqlstate == "23503" else exc
