"""Database: `fitsense db`: bring the services' tables to this version."""

from pathlib import Path

import click
import pg8000.dbapi
import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from deploy.options import errors_are_messages
from shared.errors import Unavailable
from shared.settings import Settings

MIGRATIONS = Path(__file__).parents[1] / "services" / "migrations"
ONE_AT_A_TIME = 5_170_422
"""The number of the advisory lock that a migration holds: two that begin at once do one after the other."""


def upgrade(connection: sqlalchemy.Connection) -> None:
    """Run the migrations that a database lacks, all in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:n)"), {"n": ONE_AT_A_TIME})
    command.upgrade(config, "heads")


def migrate(settings: Settings) -> None:
    """Bring a database to this version; raises Unavailable where it does not answer."""
    from shared.database import connector

    engine = sqlalchemy.create_engine(
        "postgresql+pg8000://", creator=connector(settings, migrating=True), poolclass=sqlalchemy.NullPool
    )
    try:
        with engine.begin() as connection:
            upgrade(connection)
    except (DBAPIError, pg8000.dbapi.Error, OSError) as exc:
        raise Unavailable(f"the database cannot be migrated: {exc}") from exc


@click.group("db")
def database_group() -> None:
    """Look after the services' database."""


@database_group.command("upgrade")
@click.option("--host", envvar="PGHOST", show_envvar=True)
@click.option("--port", type=int, envvar="PGPORT", show_envvar=True)
@click.option("--user", envvar="PGUSER", show_envvar=True, help="Somebody who may make roles and schemas.")
@click.option("--name", envvar="PGDATABASE", show_envvar=True)
@errors_are_messages
def upgrade_command(host: str | None, port: int | None, user: str | None, name: str | None) -> None:
    """Bring the database to this version: roles, tables, policies. Does nothing where nothing is missing."""
    given = {"database_host": host, "database_port": port, "database_user": user, "database_name": name}
    migrate(Settings(service="migrations").model_copy(update={key: one for key, one in given.items() if one}))
    click.echo("the database is up to date")
