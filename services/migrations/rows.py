"""Rows: whose rows are whose: row-level security, the same for every table, and who may do what.

    fitsense_owner                                          owns schemas and tables; nobody logs in as it
    fitsense_profile · fitsense_plan · fitsense_logging     the services' roles: each its own schema, no BYPASSRLS

A transaction says for whom it works by the setting `app.user_id`. Policies let it see and write that user's
rows alone, and FORCE holds the owner to them too: a query with a forgotten WHERE returns nothing of anybody
else, and one that names no user returns nothing at all.
"""

from alembic import op

SERVICES = ("profile", "plan", "logging")


def make_roles() -> None:
    """Make the roles that are not there yet; they belong to the server, not to one database."""
    for role, may in (("owner", "NOLOGIN"), *((name, "LOGIN") for name in SERVICES)):
        op.execute(f"""
            DO $$ BEGIN
              CREATE ROLE fitsense_{role} {may} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$""")
    op.execute("GRANT fitsense_owner TO CURRENT_USER")
    op.execute("""
        DO $$ BEGIN
          EXECUTE format('GRANT CREATE ON DATABASE %I TO fitsense_owner', current_database());
        END $$""")


def become_owner() -> None:
    """Make what follows in this migration as the owner."""
    op.execute("SET LOCAL ROLE fitsense_owner")


def own_rows(table: str, seen_if: str = "", grants: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Let a service work on its table, and each transaction on its user's rows.

    `seen_if` is a further condition under which a row is seen though no user is named: for the one row that
    belongs to an e-mail or a token.
    """
    schema = table.partition(".")[0]
    own = "user_id = public.acting_user()"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON {table} USING ({own}) WITH CHECK ({own})")
    if seen_if:
        op.execute(f"CREATE POLICY seen ON {table} FOR SELECT USING ({seen_if})")
    op.execute(f"GRANT {grants} ON {table} TO fitsense_{schema}")


def receipts(schema: str) -> None:
    """Make a schema's receipts: what makes a POST that is sent twice one; see shared/receipts.py."""
    op.execute(f"""
        CREATE TABLE {schema}.receipts (
          user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE,
          key text NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
          digest text NOT NULL CHECK (length(digest) = 64),
          status smallint NOT NULL CHECK (status BETWEEN 200 AND 299),
          version integer,
          answer text NOT NULL,
          created_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (user_id, key)
        )""")
    own_rows(f"{schema}.receipts")
    old = "created_at < now() - interval '2 days'"
    op.execute(f"CREATE POLICY expired ON {schema}.receipts FOR DELETE USING ({old})")
    op.execute(f"CREATE INDEX receipts_age ON {schema}.receipts (created_at)")
