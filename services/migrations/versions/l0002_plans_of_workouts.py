"""Plans of workouts: a workout names a plan of its own user, or none."""

from alembic import op

from services.migrations import rows

revision = "l0002"
down_revision = "l0001"
branch_labels = None
depends_on = ("n0001",)


def upgrade() -> None:
    """Hold workouts to the plans that there are."""
    rows.become_owner()
    op.execute("""
        ALTER TABLE logging.workouts ADD CONSTRAINT plan_of_the_user FOREIGN KEY (plan_id, user_id)
        REFERENCES plan.plans (plan_id, user_id) ON DELETE SET NULL (plan_id)""")
    op.execute("CREATE INDEX workouts_of_plan ON logging.workouts (plan_id) WHERE plan_id IS NOT NULL")
    op.execute("RESET ROLE")
