"""Adds the versions that no stage has read yet."""

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


def upgrade() -> None:
    """Creates the table and puts it under row-level security."""
    for statement in (*ARRIVALS, *tenant_policy("search", "arrivals")):
        op.execute(statement)
