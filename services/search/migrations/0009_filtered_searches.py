"""Which searches looked through a part of the files only; and the words of names with camel case, each by itself.

What the version before writes goes on being written: its searches count as without filters. It alone still reads
``name_vocabulary``, into which nothing is written any more: what is in ``file_name_words`` was kept there twice.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

FILTERED = "ALTER TABLE search_history ADD COLUMN filtered boolean NOT NULL DEFAULT false"

# As 0003 did it: what a name is indexed by has its words parted. The version before this one left the parts out.
PARTED_NAMES = """INSERT INTO file_name_words (user_id, word, upload_id)
    SELECT f.user_id, w.lexeme, f.upload_id FROM files f, unnest(f.name_words) AS w(lexeme, positions, weights)
    WHERE f.processed_run IS NOT NULL AND 'A' = ANY(w.weights) AND w.lexeme ~ '^[[:alpha:]]{4,32}$'
    ON CONFLICT DO NOTHING"""

TABLES = ("files", "file_name_words")


def upgrade() -> None:
    """The owner sees every tenant's rows only while row security is not forced on it."""
    op.execute(FILTERED)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(PARTED_NAMES)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
