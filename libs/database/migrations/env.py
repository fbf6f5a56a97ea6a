"""Alembic's entry: runs one service's revisions on the connection and schema it is handed, as the service's role.

Each revision is a transaction of its own: what it locks is free again before the next one waits for something.
"""

from alembic import context
from sqlalchemy import Connection, text

connection: Connection = context.config.attributes["connection"]
schema: str = context.config.attributes["schema"]

connection.execute(text(f'SET ROLE "{schema}"'))
connection.execute(text(f'SET search_path TO "{schema}", public'))
# Settings of the session from here on; in a transaction that is not its own Alembic would put all revisions into it.
connection.commit()
context.configure(connection=connection, version_table_schema=schema, transaction_per_migration=True)
context.run_migrations()
