"""Drops what no version reads any more: a second copy of the words of names, functions of an index that is gone, and an
index of passages by user, which slowed down writing.

``files.properties`` and ``files.labels`` are written by the version before this one only; the next one drops them.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Drops them; every statement on ``passages`` names the file, so none needs the index by user."""
    op.execute("DROP TABLE name_vocabulary")
    # 0007 as it was first committed dropped the first of them itself.
    op.execute("DROP FUNCTION IF EXISTS owned(tsvector, text)")
    op.execute("DROP FUNCTION IF EXISTS owned(tsvector, text, text)")
    op.execute("DROP INDEX passages_by_user")
