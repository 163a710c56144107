"""Plans: plans, their revisions, proposals for them, and the jobs that make them."""

from alembic import op

from services.migrations import rows

revision = "n0001"
down_revision = "p0001"
branch_labels = ("plan",)
depends_on = None

TABLES = ("plans", "revisions", "proposals", "jobs")


def upgrade() -> None:
    """Make the plan service's tables."""
    rows.become_owner()
    op.execute("""
        CREATE TABLE plan.plans (
          plan_id uuid PRIMARY KEY,
          user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE,
          status text NOT NULL CHECK (status IN ('active', 'inactive', 'archived')),
          revision integer NOT NULL CHECK (revision >= 1),
          name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
          goal text NOT NULL CHECK (goal IN ('fat_loss', 'muscle_gain', 'strength', 'general_fitness')),
          document text NOT NULL CHECK (length(document) BETWEEN 2 AND 65536),
          created_at timestamptz NOT NULL,
          updated_at timestamptz NOT NULL CHECK (updated_at >= created_at),
          UNIQUE (plan_id, user_id)
        )""")
    op.execute("CREATE UNIQUE INDEX plans_one_active ON plan.plans (user_id) WHERE status = 'active'")
    op.execute("CREATE INDEX plans_of_user ON plan.plans (user_id, created_at DESC, plan_id DESC)")
    op.execute("""
        CREATE TABLE plan.revisions (
          plan_id uuid NOT NULL,
          number integer NOT NULL CHECK (number >= 1),
          user_id uuid NOT NULL,
          plan jsonb NOT NULL,
          told jsonb NOT NULL,
          cause text NOT NULL CHECK (cause IN ('created', 'edited', 'proposal', 'restored')),
          note text NOT NULL CHECK (length(note) <= 200),
          created_at timestamptz NOT NULL,
          PRIMARY KEY (plan_id, number),
          FOREIGN KEY (plan_id, user_id) REFERENCES plan.plans (plan_id, user_id) ON DELETE CASCADE
        )""")
    op.execute("""
        CREATE TABLE plan.proposals (
          proposal_id uuid PRIMARY KEY,
          plan_id uuid NOT NULL,
          user_id uuid NOT NULL,
          status text NOT NULL CHECK (status IN ('open', 'decided')),
          kind text NOT NULL CHECK (kind IN ('modification', 'adaptation')),
          request text NOT NULL CHECK (length(request) <= 2000),
          edits jsonb NOT NULL CHECK (jsonb_typeof(edits) = 'array'),
          told jsonb NOT NULL,
          based_on_revision integer NOT NULL CHECK (based_on_revision >= 1),
          version integer NOT NULL CHECK (version >= 1),
          created_at timestamptz NOT NULL,
          updated_at timestamptz NOT NULL CHECK (updated_at >= created_at),
          FOREIGN KEY (plan_id, user_id) REFERENCES plan.plans (plan_id, user_id) ON DELETE CASCADE
        )""")
    op.execute("CREATE INDEX proposals_of_plan ON plan.proposals (plan_id, created_at DESC, proposal_id DESC)")
    op.execute("""
        CREATE TABLE plan.jobs (
          job_id uuid PRIMARY KEY,
          user_id uuid NOT NULL REFERENCES profile.users ON DELETE CASCADE,
          status text NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'failed')),
          request text NOT NULL CHECK (length(request) <= 16384),
          days_written smallint NOT NULL DEFAULT 0 CHECK (days_written BETWEEN 0 AND 7),
          attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
          lease_until timestamptz,
          plan_id uuid REFERENCES plan.plans ON DELETE SET NULL,
          escalation text CHECK (escalation IN ('none', 'see_professional', 'emergency')),
          message text CHECK (length(message) <= 2000),
          created_at timestamptz NOT NULL,
          updated_at timestamptz NOT NULL CHECK (updated_at >= created_at),
          completed_at timestamptz CHECK (completed_at >= created_at),
          CHECK ((status = 'running') = (lease_until IS NOT NULL)),
          CHECK ((status IN ('completed', 'failed')) = (completed_at IS NOT NULL))
        )""")
    op.execute("CREATE INDEX jobs_of_user ON plan.jobs (user_id, created_at DESC)")
    for table in TABLES:
        rows.own_rows(f"plan.{table}")
    rows.receipts("plan")
    op.execute("RESET ROLE")
