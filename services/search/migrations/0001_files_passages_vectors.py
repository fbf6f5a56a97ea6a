"""Creates the first schema: files, passages, vectors, principals, history and the ledger."""

from alembic import op

from database.row_security import tenant_policy
from eventing.ledger_migration import LEDGER_TABLES

revision = "0001"
down_revision = None

FILES = """CREATE TABLE files (
    upload_id text PRIMARY KEY, user_id text NOT NULL,
    generation bigint NOT NULL, deleted_generation bigint NOT NULL DEFAULT 0,
    deleted_run integer NOT NULL DEFAULT 0,
    processed_run integer, analyzed_run integer, failed_run integer, touched_at timestamptz NOT NULL DEFAULT now(),
    filename text, kind text, media_type text, size_bytes bigint, created_at timestamptz,
    properties jsonb, has_thumbnail boolean, name_words tsvector,
    title text, summary text, labels text[], language text, flagged boolean,
    text_config text NOT NULL DEFAULT 'english', about_words tsvector)"""

PASSAGE_SETS = """CREATE TABLE passage_sets (
    upload_id text NOT NULL, model_id text NOT NULL, user_id text NOT NULL, run integer NOT NULL,
    dimensions integer NOT NULL, passage_count integer NOT NULL, PRIMARY KEY (upload_id, model_id))"""

PASSAGES = """CREATE TABLE passages (
    upload_id text NOT NULL, model_id text NOT NULL, ordinal integer NOT NULL, user_id text NOT NULL,
    text text NOT NULL, source text NOT NULL, page integer, start_s double precision, end_s double precision,
    section text, words tsvector NOT NULL, PRIMARY KEY (upload_id, model_id, ordinal))"""

# PLAIN keeps vectors of 1536 dimensions out of TOAST: scans are 2 to 4 times faster. A graph built with ef_construction
# 64 has regions that no walk reaches: recall .84 over a table of 100,000, .95 with 200.
VECTORS = (
    """CREATE TABLE vectors_{n} (
    upload_id text NOT NULL, model_id text NOT NULL, ordinal integer NOT NULL, user_id text NOT NULL,
    embedding halfvec({n}) NOT NULL, PRIMARY KEY (upload_id, model_id, ordinal))""",
    "ALTER TABLE vectors_{n} ALTER COLUMN embedding SET STORAGE PLAIN",
    "CREATE INDEX vectors_{n}_by_user ON vectors_{n} (user_id, model_id)",
    """CREATE INDEX vectors_{n}_by_meaning ON vectors_{n} USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 200)""",
)

IDENTITY = (
    """CREATE TABLE principals (
    user_id text PRIMARY KEY, version bigint NOT NULL, suspended boolean NOT NULL, tier text NOT NULL,
    operator boolean NOT NULL)""",
    """CREATE TABLE api_keys (
    sha256 text PRIMARY KEY, key_id text NOT NULL,
    user_id text NOT NULL REFERENCES principals (user_id) ON DELETE CASCADE)""",
    "CREATE INDEX api_keys_by_user ON api_keys (user_id)",
)

HISTORY = (
    """CREATE TABLE search_history (
    search_id uuid PRIMARY KEY DEFAULT uuidv7(), user_id text NOT NULL, query text NOT NULL, mode text NOT NULL,
    result_count integer NOT NULL, took_ms real NOT NULL, degraded boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now())""",
    "CREATE INDEX search_history_by_user ON search_history (user_id, search_id)",
)

INDEXES = (
    "CREATE INDEX files_by_user ON files (user_id, created_at)",
    "CREATE INDEX passage_sets_by_user ON passage_sets (user_id, model_id)",
    "CREATE INDEX passages_by_user ON passages (user_id)",
)

TENANT_TABLES = ("files", "passage_sets", "passages", "vectors_384", "vectors_1536", "search_history")


def upgrade() -> None:
    """Creates everything; every tenant's table is under row-level security."""
    vectors = [statement.format(n=n) for n in (384, 1536) for statement in VECTORS]
    for statement in (FILES, PASSAGE_SETS, PASSAGES, *vectors, *IDENTITY, *HISTORY, *INDEXES, *LEDGER_TABLES):
        op.execute(statement)
    for table in TENANT_TABLES:
        for statement in tenant_policy("search", table):
            op.execute(statement)
