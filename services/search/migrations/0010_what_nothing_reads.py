"""Drops what no version reads any more: words of names kept twice, functions of an index that is gone, and an index of
passages by their user, which each passage written paid for.

``files.properties`` and ``files.labels`` are written by the version before this one alone, and go with the next.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Every statement on ``passages`` names the file."""
    op.execute("DROP TABLE name_vocabulary")
    op.execute("DROP FUNCTION owned(tsvector, text)")
    op.execute("DROP FUNCTION owned(tsvector, text, text)")
    op.execute("DROP INDEX passages_by_user")
