"""Adds an index that leads to the oldest tombstones of a user."""

from alembic import op

revision = "0015"
down_revision = "0014"

TOMBSTONES = """CREATE INDEX CONCURRENTLY files_deleted ON files (user_id, touched_at)
    WHERE deleted_generation > 0 AND processed_run IS NULL AND analyzed_run IS NULL AND failed_run IS NULL"""


def upgrade() -> None:
    """Builds the index beside the writers; what an attempt that was cut off has left is no index and goes first."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for everybody and holds up nobody
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS files_deleted")
        op.execute(TOMBSTONES)
        op.execute("RESET lock_timeout")
