"""Adds where the pictures of a file's places are listed; files read before have none until they are processed again."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the column, which needs no rewriting."""
    op.execute("ALTER TABLE uploads ADD COLUMN storyboard jsonb")
