"""``python -m database.migrate SERVICE``: brings one service's schema and role up to date, as the database's admin.

Reads ``DATABASE_URL`` (admin) and ``ROLE_PASSWORD`` from the environment. Tables belong to the service's role.
"""

import asyncio
import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

_HERE = Path(__file__).parent
_MIGRATION_LOCK = 7_265_121


async def migrate(admin_url: str, service: str, versions: Path, role_password: str | None, revision: str) -> None:
    """Creates schema and role ``service`` if absent and runs the migrations in ``versions`` up to ``revision``."""
    engine = create_async_engine(admin_url)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
            await connection.run_sync(_ensure_role, service, role_password)
            await connection.commit()
            await connection.run_sync(_upgrade, service, versions, revision)
            await connection.commit()
    finally:
        await engine.dispose()


def _ensure_role(connection: Connection, service: str, role_password: str | None) -> None:
    role = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": service}).first()
    if role is None:
        connection.execute(text(f'CREATE ROLE "{service}" LOGIN NOSUPERUSER NOBYPASSRLS'))
    if role_password is not None:
        quoted = role_password.replace("'", "''")
        connection.execute(text(f"ALTER ROLE \"{service}\" PASSWORD '{quoted}'"))
    connection.execute(text(f'GRANT "{service}" TO CURRENT_USER'))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{service}" AUTHORIZATION "{service}"'))


def _upgrade(connection: Connection, service: str, versions: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, schema=service)
    command.upgrade(config, revision)


def main() -> None:
    """The command line."""
    service = sys.argv[1]
    root = Path(_HERE).parents[1]
    versions = root / "services" / service / "migrations"
    asyncio.run(migrate(os.environ["DATABASE_URL"], service, versions, os.environ.get("ROLE_PASSWORD"), "head"))


if __name__ == "__main__":
    main()
