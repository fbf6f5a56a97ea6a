"""Statements for migrations: a tenant's rows are seen and written only by transactions bound to that tenant."""


def tenant_policy(schema: str, table: str) -> tuple[str, ...]:
    """Enables and forces row security (the owner too) with ``user_id = app.user_id`` for reads and writes."""
    visible = "user_id = current_setting('app.user_id', true)"
    return (
        f"ALTER TABLE {schema}.{table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {schema}.{table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {schema}.{table} USING ({visible}) WITH CHECK ({visible})",
    )
