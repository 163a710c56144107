"""Profiles: sessions that may be refreshed, tries to log in, and what a coach has to know, with its history."""

from alembic import op

from services.migrations import rows

revision = "p0002"
down_revision = "p0001"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE profile.refresh_tokens (
      token_hash text PRIMARY KEY CHECK (length(token_hash) = 64),
      user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE,
      family uuid NOT NULL,
      issued_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      used_at timestamptz
    )""",
    "CREATE INDEX refresh_tokens_of_user ON profile.refresh_tokens (user_id, family)",
    """
    CREATE TABLE profile.login_failures (
      key text PRIMARY KEY CHECK (length(key) <= 80),
      failures integer NOT NULL CHECK (failures > 0),
      last_at timestamptz NOT NULL DEFAULT now()
    )""",
    """
    CREATE TABLE profile.profiles (
      user_id uuid PRIMARY KEY REFERENCES profile.users ON DELETE CASCADE,
      version integer NOT NULL DEFAULT 1,
      birth_date date NOT NULL,
      sex text NOT NULL CHECK (sex IN ('female', 'male', 'other')),
      height_cm numeric(5,1) NOT NULL CHECK (height_cm BETWEEN 120 AND 230),
      weight_kg numeric(5,2) NOT NULL CHECK (weight_kg BETWEEN 30 AND 300),
      goals text[] NOT NULL CHECK (cardinality(goals) BETWEEN 1 AND 4
        AND goals <@ ARRAY['fat_loss', 'muscle_gain', 'strength', 'general_fitness']),
      activity_level text NOT NULL
        CHECK (activity_level IN ('sedentary', 'lightly_active', 'moderately_active', 'very_active')),
      experience text NOT NULL CHECK (experience IN ('beginner', 'intermediate', 'advanced')),
      days_per_week smallint NOT NULL CHECK (days_per_week BETWEEN 2 AND 6),
      session_minutes smallint NOT NULL CHECK (session_minutes BETWEEN 20 AND 120),
      document jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
      updated_at timestamptz NOT NULL DEFAULT now()
    )""",
    """
    CREATE TABLE profile.history (
      user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE,
      version integer NOT NULL CHECK (version > 0),
      document jsonb NOT NULL,
      made_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (user_id, version)
    )""",
    """
    CREATE FUNCTION profile.remember() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO profile.history (user_id, version, document) VALUES (new.user_id, new.version, new.document);
      RETURN NULL;
    END $$""",
    """CREATE TRIGGER remember AFTER INSERT OR UPDATE ON profile.profiles
    FOR EACH ROW EXECUTE FUNCTION profile.remember()""",
)


def upgrade() -> None:
    """Make the tables."""
    rows.become_owner()
    for statement in TABLES:
        op.execute(statement)
    rows.own_rows("profile.refresh_tokens", seen_if="token_hash = nullif(current_setting('app.refresh', true), '')")
    rows.own_rows("profile.profiles")
    rows.own_rows("profile.history", grants="SELECT, INSERT")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON profile.login_failures TO fitsense_profile")
    op.execute("RESET ROLE")
