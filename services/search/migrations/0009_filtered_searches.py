"""Adds which searches had filters, and the separate words of file names in camel case.

The version before this one can still write: its searches count as without filters. It alone still reads
``name_vocabulary``, a second copy of the words in ``file_name_words``, into which nothing is written any more.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

FILTERED = "ALTER TABLE search_history ADD COLUMN filtered boolean NOT NULL DEFAULT false"

# As in 0003: the indexed words of a name include the parts of camel case, which the version before left out here.
PARTED_NAMES = """INSERT INTO file_name_words (user_id, word, upload_id)
    SELECT f.user_id, w.lexeme, f.upload_id FROM files f, unnest(f.name_words) AS w(lexeme, positions, weights)
    WHERE f.processed_run IS NOT NULL AND 'A' = ANY(w.weights) AND w.lexeme ~ '^[[:alpha:]]{4,32}$'
    ON CONFLICT DO NOTHING"""

TABLES = ("files", "file_name_words")


def upgrade() -> None:
    """Adds column and words; the owner sees every tenant's rows only while row security is not forced."""
    op.execute(FILTERED)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(PARTED_NAMES)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
