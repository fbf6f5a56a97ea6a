"""One Postgres database, one schema and role per owning service, row-level security under every query."""
