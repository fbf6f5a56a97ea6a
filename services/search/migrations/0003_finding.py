"""Adds the words of file names, the version of each user's index, feedback, image hashes and which files have text."""

from alembic import op

from database.row_security import tenant_policy

revision = "0003"
down_revision = "0002"

# COLLATE "C": a range of the key holds the words with one beginning, whatever the database's collation.
NAMES = (
    """CREATE TABLE name_vocabulary (
    user_id text NOT NULL, word text COLLATE "C" NOT NULL, PRIMARY KEY (user_id, word))""",
    """CREATE TABLE file_name_words (
    user_id text NOT NULL, word text COLLATE "C" NOT NULL, upload_id text NOT NULL,
    PRIMARY KEY (user_id, word, upload_id))""",
    "CREATE INDEX file_name_words_by_file ON file_name_words (upload_id)",
)

INDEX_VERSIONS = "CREATE TABLE index_versions (user_id text PRIMARY KEY, version bigint NOT NULL)"

FEEDBACK = """CREATE TABLE search_feedback (
    search_id uuid NOT NULL REFERENCES search_history (search_id) ON DELETE CASCADE, upload_id text NOT NULL,
    user_id text NOT NULL, rating smallint NOT NULL, comment text, created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (search_id, upload_id))"""

COLUMNS = (
    "ALTER TABLE search_history ADD COLUMN cached boolean NOT NULL DEFAULT false",
    "ALTER TABLE files ADD COLUMN has_text boolean",
    "ALTER TABLE files ADD COLUMN look bigint",
)

# Backfill: the owner of the tables sees every tenant's rows only while row security is not forced.
BACKFILL = (
    """INSERT INTO file_name_words (user_id, word, upload_id)
    SELECT f.user_id, w.lexeme, f.upload_id FROM files f, unnest(f.name_words) AS w(lexeme, positions, weights)
    WHERE f.processed_run IS NOT NULL AND 'A' = ANY(w.weights) AND w.lexeme ~ '^[[:alpha:]]{4,32}$'""",
    "INSERT INTO name_vocabulary (user_id, word) SELECT DISTINCT user_id, word FROM file_name_words",
    """UPDATE files f SET has_text = EXISTS (
    SELECT FROM passages p WHERE p.upload_id = f.upload_id AND p.source NOT IN ('summary', 'metadata'))
    WHERE f.analyzed_run IS NOT NULL""",
)

READ = ("files", "passages")
TENANT_TABLES = ("name_vocabulary", "file_name_words", "index_versions", "search_feedback")


def upgrade() -> None:
    """Creates tables, fills them from the existing rows, then puts them under row-level security."""
    for statement in (*NAMES, INDEX_VERSIONS, FEEDBACK, *COLUMNS):
        op.execute(statement)
    for table in READ:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in BACKFILL:
        op.execute(statement)
    for table in READ:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in TENANT_TABLES:
        for statement in tenant_policy("search", table):
            op.execute(statement)
