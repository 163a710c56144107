"""Users: roles, the schemas, and who there is."""

from alembic import op

from services.migrations import rows

revision = "p0001"
down_revision = None
branch_labels = ("profile",)
depends_on = None


def upgrade() -> None:
    """Make the roles, a schema for each service, and the users that everything belongs to."""
    rows.make_roles()
    rows.become_owner()
    for service in rows.SERVICES:
        op.execute(f"CREATE SCHEMA {service}")
        op.execute(f"GRANT USAGE ON SCHEMA {service} TO fitsense_{service}")
    op.execute("RESET ROLE")
    op.execute("""
        CREATE FUNCTION public.acting_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
        RETURN nullif(current_setting('app.user_id', true), '')::uuid""")
    op.execute("GRANT EXECUTE ON FUNCTION public.acting_user() TO PUBLIC")
    rows.become_owner()
    op.execute("""
        CREATE TABLE profile.users (
          user_id uuid PRIMARY KEY,
          email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
          name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
          password_hash text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 200),
          created_at timestamptz NOT NULL DEFAULT now()
        )""")
    op.execute("CREATE UNIQUE INDEX users_email ON profile.users (lower(email))")
    rows.own_rows("profile.users", seen_if="lower(email) = lower(nullif(current_setting('app.email', true), ''))")
    rows.receipts("profile")
    op.execute("RESET ROLE")
