"""Adds the versions that no stage has read yet, and an index that leads to the oldest tombstones of a user."""

from alembic import op

from database.row_security import tenant_policy

revision = "0014"
down_revision = "0013"

ARRIVALS = (
    """CREATE TABLE arrivals (
    upload_id text PRIMARY KEY, user_id text NOT NULL, generation bigint NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT now())""",
    "CREATE INDEX arrivals_by_user ON arrivals (user_id, arrived_at)",
)

TOMBSTONES = """CREATE INDEX files_deleted ON files (user_id, touched_at)
    WHERE deleted_generation > 0 AND processed_run IS NULL AND analyzed_run IS NULL AND failed_run IS NULL"""


def upgrade() -> None:
    """Creates table, policy and index; building the index locks ``files`` against writers meanwhile."""
    for statement in (*ARRIVALS, *tenant_policy("search", "arrivals"), TOMBSTONES):
        op.execute(statement)
