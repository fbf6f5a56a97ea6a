"""Every change of an upload carries its transaction and is told to whoever listens; tickets for streams."""

from alembic import op

from database.row_security import tenant_policy

revision = "0003"
down_revision = "0002"

_CHANGED = (
    "ALTER TABLE uploads ADD COLUMN changed bigint NOT NULL DEFAULT 0",
    "CREATE INDEX uploads_by_change ON uploads (user_id, changed, upload_id)",
    """CREATE FUNCTION note_upload_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.changed := pg_current_xact_id()::text::bigint;
            RETURN NEW;
        END $$""",
    """CREATE TRIGGER note_change BEFORE INSERT OR UPDATE ON uploads
        FOR EACH ROW EXECUTE FUNCTION note_upload_change()""",
)

# A row that is really gone before anybody saw it deleted: for a day, streams that were away can still learn of it.
_REMOVED = (
    """CREATE TABLE removed_uploads (
        user_id text NOT NULL,
        upload_id text NOT NULL,
        changed bigint NOT NULL,
        removed_at timestamptz NOT NULL,
        last jsonb NOT NULL,
        PRIMARY KEY (user_id, upload_id))""",
    *tenant_policy("upload_gateway", "removed_uploads"),
    """CREATE FUNCTION keep_removed_upload() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.status <> 'deleted' AND OLD.user_id = current_setting('app.user_id', true) THEN
                DELETE FROM upload_gateway.removed_uploads
                    WHERE user_id = OLD.user_id AND removed_at < now() - interval '1 day';
                INSERT INTO upload_gateway.removed_uploads (user_id, upload_id, changed, removed_at, last)
                    VALUES (OLD.user_id, OLD.upload_id, pg_current_xact_id()::text::bigint, now(),
                        to_jsonb(OLD) - 'state' - 'changed')
                    ON CONFLICT (user_id, upload_id) DO UPDATE
                        SET changed = excluded.changed, removed_at = excluded.removed_at, last = excluded.last;
            END IF;
            RETURN NULL;
        END $$""",
    """CREATE TRIGGER keep_removed AFTER DELETE ON uploads
        FOR EACH ROW EXECUTE FUNCTION keep_removed_upload()""",
)

# Payloads are user ids: a listener reads the rows, and Postgres folds equal payloads of a transaction into one.
_TOLD = (
    """CREATE FUNCTION tell_user_of() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify(TG_ARGV[0], coalesce(NEW.user_id, OLD.user_id));
            RETURN NULL;
        END $$""",
    """CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON uploads
        FOR EACH ROW EXECUTE FUNCTION tell_user_of('uploads_changed')""",
    """CREATE TRIGGER tell AFTER UPDATE OR DELETE ON users
        FOR EACH ROW EXECUTE FUNCTION tell_user_of('users_changed')""",
    """CREATE TRIGGER tell AFTER DELETE ON api_keys
        FOR EACH ROW EXECUTE FUNCTION tell_user_of('users_changed')""",
)

_TICKETS = (
    """CREATE TABLE stream_tickets (
        sha256 text PRIMARY KEY,
        user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
        key_sha256 text,
        expires_at timestamptz NOT NULL)""",
    "CREATE INDEX stream_tickets_by_expiry ON stream_tickets (expires_at)",
)


def upgrade() -> None:
    """Adds to what is there; rows from before count as changed before anything."""
    for statement in (*_CHANGED, *_REMOVED, *_TOLD, *_TICKETS):
        op.execute(statement)
