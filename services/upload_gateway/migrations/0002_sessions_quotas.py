"""Upload sessions, idempotency keys, daily quotas, profiles, and what the purge has to find."""

from alembic import op

from database.row_security import tenant_policy

revision = "0002"
down_revision = "0001"

_TABLES = (
    "ALTER TABLE uploads ADD COLUMN expected_until timestamptz",
    "ALTER TABLE uploads ADD COLUMN bytes_gone boolean NOT NULL DEFAULT false",
    "CREATE INDEX uploads_unstored ON uploads (created_at) WHERE generation = 0",
    "CREATE INDEX uploads_hidden ON uploads (bytes_gone, hidden_at) WHERE hidden_at IS NOT NULL",
    """CREATE TABLE upload_sessions (
        upload_id text PRIMARY KEY REFERENCES uploads ON DELETE CASCADE,
        user_id text NOT NULL,
        session_url text NOT NULL,
        expires_at timestamptz NOT NULL)""",
    """CREATE TABLE idempotency_keys (
        user_id text NOT NULL,
        operation text NOT NULL,
        key text NOT NULL,
        token uuid NOT NULL,
        started_at timestamptz NOT NULL,
        fingerprint text,
        answer jsonb,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, operation, key))""",
    "CREATE INDEX idempotency_keys_by_age ON idempotency_keys (expires_at)",
    """CREATE TABLE daily_uploads (
        user_id text NOT NULL,
        day date NOT NULL,
        used integer NOT NULL CHECK (used >= 0),
        PRIMARY KEY (user_id, day))""",
    "CREATE INDEX daily_uploads_by_age ON daily_uploads (day)",
    """CREATE TABLE profiles (
        user_id text PRIMARY KEY,
        display_name text,
        preferences jsonb NOT NULL)""",
    """CREATE TABLE removed_versions (
        upload_id text NOT NULL,
        generation bigint NOT NULL,
        run integer NOT NULL,
        user_id text NOT NULL,
        bucket text NOT NULL,
        object_name text NOT NULL,
        removed_at timestamptz NOT NULL,
        PRIMARY KEY (upload_id, generation))""",
    "CREATE INDEX removed_versions_by_age ON removed_versions (removed_at)",
)
_TENANTS = ("upload_sessions", "idempotency_keys", "daily_uploads", "profiles", "removed_versions")

_PURGE = "current_setting('app.role', true) = 'purge'"
_PURGE_POLICIES = (
    # It finds what is due over all users; every change to an upload is then made as that upload's owner.
    f"""CREATE POLICY purge ON uploads FOR SELECT
        USING ({_PURGE} AND (generation = 0 OR hidden_at IS NOT NULL))""",
    f"CREATE POLICY purge ON removed_versions FOR SELECT USING ({_PURGE})",
    f"CREATE POLICY purge ON idempotency_keys USING ({_PURGE} AND expires_at < now())",
    f"CREATE POLICY purge ON daily_uploads USING ({_PURGE})",
)


def upgrade() -> None:
    """Creates everything."""
    policies = [statement for table in _TENANTS for statement in tenant_policy("upload_gateway", table)]
    for statement in (*_TABLES, *policies, *_PURGE_POLICIES):
        op.execute(statement)
