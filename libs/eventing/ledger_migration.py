"""The ledger's tables as statements for a service's first migration."""

LEDGER_TABLES: tuple[str, ...] = (
    """CREATE TABLE inbox (
        event_id text NOT NULL, handler text NOT NULL, handled_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (event_id, handler))""",
    "CREATE INDEX inbox_by_age ON inbox (handled_at)",
    """CREATE TABLE outbox (
        id uuid PRIMARY KEY DEFAULT uuidv7(), event jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now())""",
)
