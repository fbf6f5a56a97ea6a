"""Dead letters kept whole, what the sweeper has tried, the journal of repairs; repairers may see every upload."""

from alembic import op

revision = "0004"
down_revision = "0003"

_STATEMENTS = (
    """CREATE TABLE dead_letters (
        letter_id text PRIMARY KEY,
        subscription text NOT NULL,
        topic text,
        upload_id text,
        user_id text,
        generation bigint,
        run integer,
        code text NOT NULL,
        reason text NOT NULL,
        attempts integer NOT NULL,
        attributes jsonb NOT NULL,
        data bytea NOT NULL,
        status text NOT NULL CHECK (status IN ('waiting', 'redriven', 'discarded')),
        deaths integer NOT NULL,
        redrives integer NOT NULL,
        first_died_at timestamptz NOT NULL DEFAULT now(),
        died_at timestamptz NOT NULL DEFAULT now(),
        settled_at timestamptz)""",
    "CREATE INDEX dead_letters_waiting ON dead_letters (died_at, letter_id) WHERE status = 'waiting'",
    "CREATE INDEX dead_letters_settled ON dead_letters (settled_at) WHERE settled_at IS NOT NULL",
    """CREATE TABLE sweeps (
        upload_id text PRIMARY KEY,
        sweeps integer NOT NULL,
        swept_at timestamptz NOT NULL,
        next_at timestamptz NOT NULL)""",
    """CREATE TABLE repairs (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        actor text NOT NULL,
        action text NOT NULL,
        subject text NOT NULL)""",
    "CREATE INDEX repairs_by_action ON repairs (action, at)",
    "CREATE INDEX uploads_unfinished ON uploads (updated_at) WHERE status IN ('pending', 'processing')",
    """CREATE INDEX uploads_unheard ON uploads (updated_at) WHERE status = 'completed' AND
        (state -> 'processed' IS NULL OR state -> 'analyzed' IS NULL OR state -> 'embedded' IS NULL)""",
    "CREATE INDEX uploads_failed ON uploads (upload_id) WHERE status = 'failed'",
    'CREATE INDEX uploads_by_object ON uploads (bucket, object_name COLLATE "C")',
    # Reading only: whatever is changed is changed in a transaction of the upload's own user.
    """CREATE POLICY repair ON uploads FOR SELECT
        USING (current_setting('app.role', true) = 'repair')""",
)


def upgrade() -> None:
    """Creates everything."""
    for statement in _STATEMENTS:
        op.execute(statement)
