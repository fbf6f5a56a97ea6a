"""Adds when each line of a passage is spoken: a hit leads to its line, not to the beginning of half a minute."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds ``cues``: [[code point, second], …] for passages joined from timed lines; null for all others."""
    op.execute("ALTER TABLE passages ADD COLUMN cues jsonb")
