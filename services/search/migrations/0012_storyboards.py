"""Adds whether there are pictures of a file's places; files read before have none until they are processed again."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Adds the column, which needs no rewriting."""
    op.execute("ALTER TABLE files ADD COLUMN has_storyboard boolean")
