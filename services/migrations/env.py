"""Env: how Alembic runs the migrations: on a connection that it is handed, all of them in one transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,
    transaction_per_migration=False,
    version_table_schema="public",
)
with context.begin_transaction():
    context.run_migrations()
