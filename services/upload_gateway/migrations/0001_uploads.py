"""Users, API keys, uploads with row security, inbox and outbox."""

from alembic import op

from database.row_security import tenant_policy
from eventing.ledger_migration import LEDGER_TABLES

revision = "0001"
down_revision = None

_TABLES = (
    """CREATE TABLE users (
        user_id text PRIMARY KEY,
        email text UNIQUE,
        tier text NOT NULL DEFAULT 'free',
        status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
        operator boolean NOT NULL DEFAULT false,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE api_keys (
        key_id text PRIMARY KEY,
        user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
        sha256 text NOT NULL UNIQUE,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz)""",
    "CREATE INDEX api_keys_by_user ON api_keys (user_id)",
    """CREATE TABLE uploads (
        upload_id text PRIMARY KEY,
        user_id text NOT NULL,
        bucket text NOT NULL,
        object_name text NOT NULL,
        generation bigint NOT NULL,
        filename text NOT NULL,
        kind text,
        media_type text,
        size_bytes bigint,
        sha256 text,
        claimed_sha256 text,
        status text NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'deleted')),
        stage text NOT NULL,
        progress smallint NOT NULL CHECK (progress BETWEEN 0 AND 100),
        error jsonb,
        trace_id text,
        thumbnail jsonb,
        preview jsonb,
        properties jsonb,
        title text,
        summary text,
        labels jsonb NOT NULL,
        language text,
        degradations jsonb NOT NULL,
        timings jsonb NOT NULL,
        processing_s double precision,
        attempts integer NOT NULL,
        usage jsonb NOT NULL,
        ownerless boolean NOT NULL,
        hidden_at timestamptz,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        state jsonb NOT NULL)""",
    # Two uploads of the same bytes at the same time: the second one finds this index, not just an empty query.
    """CREATE UNIQUE INDEX uploads_claimed_content ON uploads (user_id, claimed_sha256)
        WHERE claimed_sha256 IS NOT NULL""",
    "CREATE INDEX uploads_by_content ON uploads (user_id, sha256) WHERE status <> 'deleted'",
    "CREATE INDEX uploads_newest_first ON uploads (user_id, created_at DESC, upload_id)",
    "CREATE INDEX uploads_ownerless ON uploads (created_at DESC) WHERE ownerless",
)

_OPERATORS = """CREATE POLICY operator ON uploads FOR SELECT
    USING (ownerless AND current_setting('app.role', true) = 'operator')"""


def upgrade() -> None:
    """Creates everything."""
    for statement in (*_TABLES, *tenant_policy("upload_gateway", "uploads"), _OPERATORS, *LEDGER_TABLES):
        op.execute(statement)
