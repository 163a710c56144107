"""Database: Postgres for a service: one pool, transactions of one user, errors by what the caller must do.

Whose rows a transaction sees is row-level security's to say, by the setting `app.user_id` that begins each one
here: a query with a forgotten WHERE returns nothing of anybody else (services/migrations says how).

The pool's rule. max_connections of the database, less 10 for people and migrations, is divided: the sum over
services of instances x `database_pool` stays below it. An instance answers as many requests at once as it has
threads; those beyond the pool wait for up to `database_wait_s`, then the answer is 503. So nobody may hold a
connection while waiting for anything else, a model least of all: run, let go, wait, run again.

    run            statements of one round trip, prepared; the way of whatever is asked often
    transaction    a SQLAlchemy connection, where one statement depends on another's answer

Writes are made with synchronous_commit on, Postgres's default: what was answered by 201 is on disk.
"""

import select
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import pg8000.dbapi
import sqlalchemy
from pg8000.exceptions import InterfaceError
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from shared.errors import Unauthenticated, Unavailable
from shared.settings import Settings
from shared.statements import Asked, DatabaseRefused, Prepared, Rows, Statement, run

if TYPE_CHECKING:
    from google.cloud.sql.connector import Connector

CONNECT_S: Final = 5.0
IDLE_S: Final = 30.0
"""A connection that nobody used for that long is asked for a sign of life first."""
RECYCLE_S: Final = 1800

BECOME: Final = Statement("SELECT set_config('app.user_id', :user_id, true)")
ALIVE: Final = Statement("SELECT 1")

Connect = Callable[[], Any]


class Database:
    """The pool of this process; nothing is connected before the first use."""

    def __init__(self, connect: Connect, pool: int, wait_s: float) -> None:
        self._connect = connect
        self._size = pool
        self._wait_s = wait_s
        self._making = Lock()

    @cached_property
    def engine(self) -> sqlalchemy.Engine:
        """SQLAlchemy's engine; its pool is the only one."""
        engine = sqlalchemy.create_engine(
            "postgresql+pg8000://",
            creator=self._connect,
            pool_size=self._size,
            max_overflow=0,
            pool_timeout=self._wait_s,
            pool_recycle=RECYCLE_S,
            pool_use_lifo=True,
        )
        sqlalchemy.event.listen(engine, "checkout", _sound)
        return engine

    def run(self, user_id: str | None, *asked: Asked, settings: Mapping[str, str] | None = None) -> list[Rows]:
        """Run statements as a user in one transaction and one round trip; returns the rows of each.

        Without a user, rows that belong to one are not seen at all; `settings` are what policies of the few
        tables that are looked up otherwise go by. Raises Unavailable, and DatabaseRefused.
        """
        first = [BECOME(user_id=user_id or "")]
        first += [setting(name)(value=value) for name, value in (settings or {}).items()]
        return self._on_connection([*first, *asked])[len(first) :]

    @contextmanager
    def transaction(self, user_id: str | None) -> Iterator[sqlalchemy.Connection]:
        """Begin a transaction as a user and commit it at the end; raises Unavailable, and DatabaseRefused."""
        try:
            with self.engine.begin() as connection:
                connection.execute(sqlalchemy.text("SELECT set_config('app.user_id', :u, true)"), {"u": user_id or ""})
                yield connection
        except DBAPIError as exc:
            raise refusal(exc) from exc
        except (OSError, InterfaceError, NoConnectionLeft) as exc:
            raise Unavailable("the database does not answer; try again shortly") from exc

    def check(self) -> None:
        """Raise Unavailable unless the database answers."""
        self._on_connection([ALIVE()])

    def close(self) -> None:
        """Close what is idle; connections in use are closed when they come back."""
        self.engine.dispose()

    def _on_connection(self, asked: list[Asked]) -> list[Rows]:
        try:
            fairy: Any = self.engine.raw_connection()
        except NoConnectionLeft as exc:
            raise Unavailable(f"no connection to the database became free within {self._wait_s:g} s") from exc
        except (OSError, InterfaceError, pg8000.dbapi.Error, DBAPIError) as exc:
            raise Unavailable("the database does not answer; try again shortly") from exc
        try:
            known: dict[str, Prepared] = fairy.info.setdefault("prepared", {})
            rows = run(fairy.dbapi_connection, known, asked)
        except (OSError, AttributeError) as exc:
            # What it did not answer may have happened or not; who asked has to find out. Its siblings came
            # from the same server, so they go too.
            fairy.invalidate()
            self._forget_all()
            raise Unavailable("the connection to the database broke; try again shortly") from exc
        except DatabaseRefused as exc:
            if exc.constraint.endswith("_user_id_fkey"):
                raise Unauthenticated("this account is gone") from exc
            raise
        except Unavailable:
            raise
        except BaseException:
            fairy.invalidate()  # interrupted half-way through an answer
            raise
        finally:
            fairy.close()
        return rows

    def _forget_all(self) -> None:
        with self._making:
            self.engine.dispose()


def _has_something_to_say(connection: Any) -> bool:
    """Return whether an idle connection has something to read: only its end, or why it was ended, comes unasked."""
    watch = select.poll()
    watch.register(connection._usock, select.POLLIN)
    return bool(watch.poll(0))


def _sound(connection: Any, record: Any, fairy: Any) -> None:
    """Have the pool give another connection, and forget all of this one's age, where one taken out is dead."""
    del fairy
    now, used_at = time.monotonic(), record.info.get("used_at")
    record.info["used_at"] = now
    if used_at is None:
        return
    if _has_something_to_say(connection):
        raise InvalidatePoolError
    if now - used_at > IDLE_S:
        try:
            run(connection, record.info.setdefault("prepared", {}), [ALIVE()])
        except (OSError, Unavailable, AttributeError) as exc:
            raise InvalidatePoolError from exc


def setting(name: str) -> Statement:
    """Return the statement that makes a setting for the rest of the transaction; the name is ours, never a caller's."""
    return Statement(f"SELECT set_config('{name}', :value, true)")


def refusal(exc: DBAPIError) -> Unavailable | DatabaseRefused:
    """Return an error of SQLAlchemy's as one of this project's."""
    details = exc.orig.args[0] if exc.orig and exc.orig.args else {}
    if exc.connection_invalidated or not isinstance(details, dict):
        return Unavailable("the database does not answer; try again shortly")
    sqlstate = details.get("C", "")
    if sqlstate[:2] in ("08", "53", "57", "40"):
        return Unavailable(f"the database cannot do that now: {details.get('M', '')}")
    return DatabaseRefused(sqlstate, details.get("n", ""), details.get("M", ""))


def database(settings: Settings) -> Database:
    """Return the database of a service, by its settings; connects to nothing yet."""
    return Database(connector(settings), settings.database_pool, settings.database_wait_s)


def connector(settings: Settings, migrating: bool = False) -> Connect:
    """Return what connects to the database as the service's role; migrations may take longer than requests."""
    user = settings.database_user or f"fitsense_{settings.service.replace('-', '_')}"
    startup = {"TimeZone": "UTC"} if migrating else _startup(settings)
    return (_cloud if settings.database_instance else _direct)(settings, user, startup)


def _direct(settings: Settings, user: str, startup: Mapping[str, str]) -> Connect:
    def connect() -> Any:
        connection = pg8000.dbapi.connect(
            user=user,
            host=settings.database_host,
            port=settings.database_port,
            database=settings.database_name,
            password=settings.database_password or None,
            timeout=CONNECT_S,
            application_name=f"fitsense-{settings.service}",
            startup_params=dict(startup),
        )
        connection._usock.settimeout(_answer_s(settings, startup))
        return connection

    return connect


def _cloud(settings: Settings, user: str, startup: Mapping[str, str]) -> Connect:
    """Connect by Google's connector: IAM authentication; no refresh in the background, which Cloud Run throttles."""
    made: list[Connector] = []
    making = Lock()

    def connect() -> Any:
        # Imported here: it takes a good part of a second, and nobody else has credentials for it.
        from google.cloud.sql.connector import Connector, IPTypes

        with making:
            if not made:
                made.append(Connector(refresh_strategy="lazy", ip_type=IPTypes.PRIVATE, enable_iam_auth=True))
        connection = made[0].connect(
            settings.database_instance, "pg8000", user=user, db=settings.database_name, timeout=CONNECT_S
        )
        cursor = connection.cursor()
        for name, value in startup.items():
            cursor.execute(f"SELECT set_config('{name}', %s, false)", (value,))
        connection.commit()
        connection._usock.settimeout(_answer_s(settings, startup))
        return connection

    return connect


def _answer_s(settings: Settings, startup: Mapping[str, str]) -> float | None:
    """Return how long to wait for an answer: longer than Postgres itself lets a statement take."""
    return 2 * settings.database_wait_s if "statement_timeout" in startup else None


def _startup(settings: Settings) -> dict[str, str]:
    wait_ms = str(int(1000 * settings.database_wait_s))
    return {
        "TimeZone": "UTC",
        "statement_timeout": wait_ms,
        "lock_timeout": wait_ms,
        "idle_in_transaction_session_timeout": "30000",
    }
