"""Adds how much of each passage the one before ends with; unknown of files embedded before, and taken for none."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Adds the column, which needs no rewriting."""
    op.execute("ALTER TABLE passages ADD COLUMN overlap integer NOT NULL DEFAULT 0")
