"""Alembic's entry: runs one service's revisions on the connection and schema it is handed, as the service's role."""

from alembic import context
from sqlalchemy import Connection, text

connection: Connection = context.config.attributes["connection"]
schema: str = context.config.attributes["schema"]

connection.execute(text(f'SET LOCAL ROLE "{schema}"'))
connection.execute(text(f'SET LOCAL search_path TO "{schema}", public'))
context.configure(connection=connection, version_table_schema=schema, transaction_per_migration=False)
context.run_migrations()
