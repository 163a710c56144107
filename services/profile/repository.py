"""Repository: accounts in Postgres."""

from services.profile.schemas import Me
from shared.database import Database
from shared.errors import NotFound
from shared.statements import Statement

ME = Statement("SELECT user_id, email, name, created_at FROM profile.users WHERE user_id = :user_id")


class PostgresAccounts:
    """Accounts in Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def me(self, user_id: str) -> Me:
        """Return a user; raises NotFound."""
        (found,) = self._database.run(user_id, ME(user_id=user_id))
        if not found:
            raise NotFound("there is no such user any more")
        identity, email, name, created_at = found[0]
        return Me(user_id=identity, email=email, name=name, created_at=created_at)
