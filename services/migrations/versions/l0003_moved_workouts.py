"""Moved workouts: one whose day is changed takes its part of the weekly sums along."""

from alembic import op

from services.migrations import rows
from services.migrations.training_sums import MOVING

revision = "l0003"
down_revision = "l0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have the sums follow a workout's day."""
    rows.become_owner()
    for statement in MOVING:
        op.execute(statement)
    op.execute("RESET ROLE")
