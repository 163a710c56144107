"""A real Postgres for tests: one server a session, migrated once, and a database of its own for whoever asks."""

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pg8000.dbapi

from deploy.database import migrate
from deploy.local import postgres
from deploy.local.ports import HOST, Ports
from deploy.local.processes import dying_with_its_parent
from shared.errors import Unavailable
from shared.settings import Settings

START_S = 60
NOT_SAFE_BUT_FAST = ("fsync=off", "full_page_writes=off", "max_connections=200", "shared_buffers=32MB")
_numbers = itertools.count()


class Server:
    """A server that tests may stop and start again."""

    def __init__(self, folder: Path, port: int, options: tuple[str, ...] = NOT_SAFE_BUT_FAST) -> None:
        self.port = port
        self._data = folder / "data"
        self._binaries = postgres.choose(postgres.binaries(dict(os.environ)), self._data)
        self._options = [part for one in options for part in ("-c", one)]
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        postgres.make_data(self._binaries, self._data)

    def start(self) -> None:
        command = (
            *postgres.as_user(postgres.owner(self._data)),
            *dying_with_its_parent(signal.SIGINT),
            *postgres.command(self._binaries, self._data, self.port),
            *self._options,
        )
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_S
        while True:
            try:
                postgres.make_database(self.port)
                return
            except Unavailable:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise AssertionError(f"Postgres does not start: {self._log.read_text()[-2000:]}") from None
                time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it at once, as if its machine went away: clients are not waited for."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=START_S)

    def sql(self, statement: str, database: str = "postgres") -> list[list[object]]:
        """Run a statement as the superuser, whom no policy holds."""
        connection = pg8000.dbapi.connect(user=postgres.SUPERUSER, host=HOST, port=self.port, database=database)
        with closing(connection):
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return [list(row) for row in cursor.fetchall()] if cursor.description else []

    def settings(self, service: str, database: str, **more: object) -> Settings:
        """Return the settings of a service on a database."""
        here = {"database_host": HOST, "database_port": self.port, "database_name": database}
        return Settings(service=service, **here, **more)  # type: ignore[arg-type]

    def make_template(self) -> None:
        """Make the migrated database that others are copies of."""
        self.sql("CREATE DATABASE template_fitsense")
        migrate(self.settings("migrations", "template_fitsense", database_user=postgres.SUPERUSER))

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Lend a migrated, empty database of the caller's own."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE template_fitsense")
        try:
            yield name
        finally:
            self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def server(folder: Path, options: tuple[str, ...] = NOT_SAFE_BUT_FAST) -> Iterator[Server]:
    """Run a migrated server in a folder."""
    ports = Ports()
    with closing(ports):
        made = Server(folder, ports.reserve(), options)
        made.start()
        try:
            made.make_template()
            yield made
        finally:
            made.stop()
