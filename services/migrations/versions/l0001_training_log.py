"""Training log: workouts with their exercises and sets, days, targets, what models said, and sums kept beside them."""

from alembic import op

from services.migrations import rows
from services.migrations.training_sums import SUMS

revision = "l0001"
down_revision = "p0001"
branch_labels = ("logging",)
depends_on = None

# Unique constraints begin with the user: they are checked before foreign keys, and would tell of another's rows.
TABLES = (
    """
    CREATE TABLE logging.workouts (
      workout_id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE,
      plan_id uuid,
      plan_day text CHECK (plan_day IN ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')),
      name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
      notes text NOT NULL DEFAULT '' CHECK (length(notes) <= 2000),
      day date NOT NULL CHECK (day >= '2000-01-01'),
      started_at timestamptz NOT NULL,
      ended_at timestamptz,
      version integer NOT NULL DEFAULT 1,
      CONSTRAINT ended_at CHECK (ended_at >= started_at AND ended_at <= started_at + interval '24 hours'),
      UNIQUE (user_id, workout_id)
    )""",
    "CREATE INDEX workouts_of_user ON logging.workouts (user_id, day DESC, workout_id DESC)",
    """
    CREATE TABLE logging.exercises (
      entry_id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      workout_id uuid NOT NULL,
      exercise text NOT NULL CHECK (length(exercise) BETWEEN 1 AND 64),
      position smallint NOT NULL CHECK (position BETWEEN 1 AND 50),
      notes text NOT NULL DEFAULT '' CHECK (length(notes) <= 2000),
      week date NOT NULL,
      lifted boolean NOT NULL,
      muscles text[] NOT NULL,
      assisting text[] NOT NULL,
      version integer NOT NULL DEFAULT 1,
      CONSTRAINT workout_of_the_user FOREIGN KEY (user_id, workout_id)
        REFERENCES logging.workouts (user_id, workout_id) ON DELETE CASCADE,
      CONSTRAINT position_taken UNIQUE (user_id, workout_id, position),
      UNIQUE (user_id, workout_id, entry_id)
    )""",
    "CREATE INDEX exercises_by_week ON logging.exercises (user_id, exercise, week)",
    """
    CREATE TABLE logging.sets (
      set_id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      workout_id uuid NOT NULL,
      entry_id uuid NOT NULL,
      number smallint NOT NULL CHECK (number BETWEEN 1 AND 99),
      reps smallint NOT NULL CHECK (reps BETWEEN 0 AND 1000),
      load_kg numeric(6,2) NOT NULL CHECK (load_kg BETWEEN 0 AND 1000),
      rir smallint NOT NULL CHECK (rir BETWEEN 0 AND 10),
      is_warmup boolean NOT NULL,
      completed_at timestamptz NOT NULL,
      e1rm_kg numeric(7,2),
      version integer NOT NULL DEFAULT 1,
      CONSTRAINT exercise_of_the_workout FOREIGN KEY (user_id, workout_id, entry_id)
        REFERENCES logging.exercises (user_id, workout_id, entry_id) ON DELETE CASCADE,
      CONSTRAINT number_taken UNIQUE (user_id, entry_id, number)
    )""",
    """
    CREATE TABLE logging.days (
      user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE,
      day date NOT NULL CHECK (day >= '2000-01-01'),
      sleep_h numeric(4,2) CHECK (sleep_h BETWEEN 0 AND 24),
      kcal integer CHECK (kcal BETWEEN 0 AND 10000),
      weight_kg numeric(5,2) CHECK (weight_kg BETWEEN 20 AND 350),
      body_fat_pct numeric(4,2) CHECK (body_fat_pct BETWEEN 2 AND 75),
      version integer NOT NULL DEFAULT 1,
      PRIMARY KEY (user_id, day),
      CHECK (num_nonnulls(sleep_h, kcal, weight_kg, body_fat_pct) > 0)
    )""",
    """
    CREATE TABLE logging.targets (
      target_id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE,
      kind text NOT NULL CHECK (kind IN ('calories', 'sleep', 'sessions', 'weight')),
      value numeric(7,2) NOT NULL CHECK (value > 0),
      method text NOT NULL CHECK (method IN ('formula', 'ai', 'manual')),
      notes text NOT NULL DEFAULT '' CHECK (length(notes) <= 2000),
      effective_from date NOT NULL CHECK (effective_from >= '2000-01-01'),
      effective_to date,
      version integer NOT NULL DEFAULT 1,
      CONSTRAINT effective_to CHECK (effective_to >= effective_from),
      CONSTRAINT value CHECK (CASE kind WHEN 'calories' THEN value BETWEEN 700 AND 10000
        WHEN 'sleep' THEN value BETWEEN 3 AND 14 WHEN 'sessions' THEN value BETWEEN 1 AND 14
        ELSE value BETWEEN 20 AND 350 END)
    )""",
    "CREATE UNIQUE INDEX targets_one_active ON logging.targets (user_id, kind) WHERE effective_to IS NULL",
    "CREATE INDEX targets_of_user ON logging.targets (user_id, kind, effective_from DESC)",
    """
    CREATE TABLE logging.interactions (
      interaction_id uuid PRIMARY KEY,
      user_id uuid REFERENCES profile.users ON DELETE CASCADE,
      occurred_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      request_id text NOT NULL CHECK (length(request_id) <= 200),
      caller text NOT NULL CHECK (length(caller) <= 200),
      prompt_type text,
      alias text NOT NULL,
      model_version text,
      base_model text,
      adapter_sha256 text,
      status text NOT NULL CHECK (status IN ('answered', 'refused', 'aborted', 'failed', 'fallback')),
      reason text,
      stream boolean NOT NULL,
      prompt text,
      response text,
      prompt_uri text,
      response_uri text,
      prompt_tokens integer CHECK (prompt_tokens >= 0),
      completion_tokens integer CHECK (completion_tokens >= 0),
      latency_ms double precision NOT NULL CHECK (latency_ms >= 0),
      ttft_ms double precision CHECK (ttft_ms >= 0),
      queue_ms double precision CHECK (queue_ms >= 0),
      cost_usd double precision CHECK (cost_usd >= 0),
      safety_flags text[] NOT NULL,
      context jsonb NOT NULL
    )""",
    "CREATE INDEX interactions_of_user ON logging.interactions (user_id, occurred_at DESC, interaction_id DESC)",
    "CREATE INDEX interactions_expire ON logging.interactions (expires_at)",
)
OWNED = ("workouts", "exercises", "sets", "days", "targets", "weeks", "week_lifts", "week_muscles")


def upgrade() -> None:
    """Make the training log and its sums."""
    rows.become_owner()
    for statement in (*TABLES, *SUMS):
        op.execute(statement)
    for table in OWNED:
        rows.own_rows(f"logging.{table}")
    rows.receipts("logging")
    op.execute("GRANT USAGE ON SCHEMA profile TO fitsense_logging")
    _interactions()
    op.execute("RESET ROLE")


def _interactions() -> None:
    """Interactions may belong to nobody; those that are expired may be deleted by the service, and not read."""
    rows.own_rows("logging.interactions", grants="SELECT, INSERT, DELETE")
    op.execute("""
        CREATE POLICY of_nobody ON logging.interactions FOR INSERT
        WITH CHECK (user_id IS NULL AND public.acting_user() IS NULL)""")
    op.execute("CREATE POLICY expired ON logging.interactions FOR DELETE USING (expires_at < now())")
