"""Migrations: once, twice, two at a time; each service's branch of its own."""

from concurrent.futures import ThreadPoolExecutor

from deploy.database import migrate
from tests.postgres import Server


def test_migrating_again_or_twice_at_once_changes_nothing(server: Server) -> None:
    server.sql("CREATE DATABASE test_migrations")
    settings = server.settings("migrations", "test_migrations", database_user="postgres")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(migrate, [settings, settings]))
    heads = server.sql("SELECT version_num FROM public.alembic_version ORDER BY 1", "test_migrations")
    migrate(settings)
    assert server.sql("SELECT version_num FROM public.alembic_version ORDER BY 1", "test_migrations") == heads
    assert [head for [head] in heads] == ["l0003", "p0002"]  # logging's head rests on plan's, which thereby is none
    server.sql("DROP DATABASE test_migrations WITH (FORCE)")


def test_a_services_role_reaches_no_other_services_tables(server: Server, database_name: str) -> None:
    reached = server.sql(
        "SELECT r.rolname, n.nspname || '.' || c.relname FROM pg_roles r, pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE r.rolname IN ('fitsense_profile', 'fitsense_plan', 'fitsense_logging') AND c.relkind = 'r' "
        "AND n.nspname IN ('profile', 'plan', 'logging') "
        "AND has_table_privilege(r.oid, c.oid, 'SELECT') AND r.rolname <> 'fitsense_' || n.nspname",
        database_name,
    )
    assert reached == []
