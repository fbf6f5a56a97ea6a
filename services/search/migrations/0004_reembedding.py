"""Adds the choice of which model answers whom, and the text sizes that estimate what a further model would cost.

Why it is stored this way: docs/decisions/0014.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# user_id '': everyone without a choice of their own. model_id NULL inherits: user → everyone → configured model.
MODEL_CHOICES = (
    """CREATE TABLE model_choices (
    user_id text PRIMARY KEY, model_id text, previous_model_id text, changed_at timestamptz NOT NULL DEFAULT now())""",
    "CREATE INDEX model_choices_by_model ON model_choices (model_id)",
)

DROPPED_MODELS = """CREATE TABLE dropped_models (
    model_id text PRIMARY KEY, drops integer NOT NULL, dropped boolean NOT NULL)"""

ROLE = "current_setting('app.role', true) = 'operator'"

POLICIES = (
    "ALTER TABLE model_choices ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE model_choices FORCE ROW LEVEL SECURITY",
    """CREATE POLICY tenant ON model_choices USING (user_id = current_setting('app.user_id', true))
    WITH CHECK (user_id = current_setting('app.user_id', true))""",
    "CREATE POLICY everyones ON model_choices FOR SELECT USING (user_id = '')",
    f"CREATE POLICY operators ON model_choices USING ({ROLE}) WITH CHECK ({ROLE})",
    # Read only: rows are removed in a transaction of their own user.
    f"CREATE POLICY operators ON passage_sets FOR SELECT USING ({ROLE})",
)

# The size of the texts that a model would embed, for the estimate of the cost.
TEXT_BYTES = (
    "ALTER TABLE passage_sets ADD COLUMN text_bytes bigint NOT NULL DEFAULT 0",
    """UPDATE passage_sets s SET text_bytes = COALESCE((SELECT sum(octet_length(p.text)) FROM passages p
    WHERE p.upload_id = s.upload_id AND p.model_id = s.model_id), 0)""",
    "CREATE INDEX passage_sets_by_model ON passage_sets (model_id, user_id, upload_id) INCLUDE (run, passage_count)",
)

READ = ("passage_sets", "passages")


def upgrade() -> None:
    """Creates and backfills tables and columns, then adds the row-security policies."""
    for statement in (*MODEL_CHOICES, DROPPED_MODELS):
        op.execute(statement)
    for table in READ:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in TEXT_BYTES:
        op.execute(statement)
    for table in READ:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for statement in POLICIES:
        op.execute(statement)
