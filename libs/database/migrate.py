"""``python -m database.migrate SERVICE``: brings one service's schema and role up to date, as the database's admin.

Reads ``DATABASE_URL`` (admin) and ``ROLE_PASSWORD`` from the environment. Tables belong to the service's role.
Whoever waits for an exclusive lock holds up all who come after; so a migration waits briefly, lets them pass, and
comes again.

A database that a newer version has migrated is left as it is: its migrations leave what the version before needs, so
that one can be started again.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_HERE = Path(__file__).parent
_MIGRATION_LOCK = 7_265_121
_TURN_S = 0.2
_LOCK_NOT_AVAILABLE = "55P03"
_log = structlog.get_logger()


@dataclass(frozen=True)
class Patience:
    """How long a statement waits for a lock, and how often and after which growing pauses it comes again.

    A search may take 5 s, so 3 s of waiting fail none; together the tries outlast the longest statement of a service,
    2 min.
    """

    lock_timeout_ms: int = 3_000
    tries: int = 10
    first_pause_s: float = 1
    longest_pause_s: float = 20


class LockNotHadError(Exception):
    """Somebody held a table for longer than a migration waits. What was migrated before stays; it may be run again."""


async def migrate(
    admin_url: str,
    service: str,
    versions: Path,
    role_password: str | None,
    revision: str,
    patience: Patience = Patience(),
) -> None:
    """Creates schema and role ``service`` if absent and runs the migrations in ``versions`` up to ``revision``.

    Each migration commits by itself; none runs where the database is newer than all of them. Raises
    :class:`LockNotHadError`.
    """
    settings = {"lock_timeout": str(patience.lock_timeout_ms)}
    engine = create_async_engine(admin_url, connect_args={"server_settings": settings})
    try:
        async with engine.connect() as connection:
            await _wait_for_turn(connection)
            await connection.run_sync(_ensure_role, service, role_password)
            await connection.commit()
            await _upgrade_patiently(connection, service, versions, revision, patience)
    finally:
        await engine.dispose()


async def _wait_for_turn(connection: AsyncConnection) -> None:
    # Asked again and again: an index that another job builds concurrently waits for all statements, also for one that
    # waits for that job.
    while not await connection.scalar(text(f"SELECT pg_try_advisory_lock({_MIGRATION_LOCK})")):
        await connection.commit()
        await asyncio.sleep(_TURN_S)


async def _upgrade_patiently(
    connection: AsyncConnection, service: str, versions: Path, revision: str, patience: Patience
) -> None:
    pause = patience.first_pause_s
    for attempt in range(1, patience.tries + 1):
        try:
            await connection.run_sync(_upgrade, service, versions, revision)
            await connection.commit()
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            await connection.rollback()
            _log.warning("waiting for a lock", service=service, attempt=attempt, pause_s=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, patience.longest_pause_s)
    raise LockNotHadError(f"a table of {service} was held too long, {patience.tries} times; run the migration again")


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
    known = ScriptDirectory.from_config(config)
    there = MigrationContext.configure(connection, opts={"version_table_schema": service}).get_current_heads()
    if newer := set(there) - {script.revision for script in known.walk_revisions()}:
        latest = known.get_current_head()
        _log.warning("migrated by a newer version", service=service, database=sorted(newer), known=latest)
        return
    command.upgrade(config, revision)


def main() -> None:
    """The command line."""
    service = sys.argv[1]
    root = Path(_HERE).parents[1]
    versions = root / "services" / service / "migrations"
    asyncio.run(migrate(os.environ["DATABASE_URL"], service, versions, os.environ.get("ROLE_PASSWORD"), "head"))


if __name__ == "__main__":
    main()
