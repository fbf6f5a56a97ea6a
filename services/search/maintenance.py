"""``python -m search.maintenance``: maintenance of the index by hand, as the database's admin (``DATABASE_URL``).

``merge USER MODEL DIMENSIONS`` moves all of a tenant's vectors into their graph, ``order`` rewrites the vector tables
in order of tenant (locks them), ``vacuum`` frees deleted rows.
"""

import argparse
import asyncio
import sys

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from search.settings import MaintenanceSettings
from search.store import graph
from search.tables import SCHEMA, VECTOR_TABLES

_MERGED_AT_ONCE = 500


async def merge(connection: AsyncConnection, user_id: str, model_id: str, dimensions: int) -> int:
    """Moves every vector of the tenant into the graph, some at a time; returns how many were moved."""
    moved = 0
    async with AsyncSession(connection) as session:
        await session.execute(text("SELECT set_config('app.user_id', :user_id, false)"), {"user_id": user_id})
        while count := await graph.add(session, user_id, model_id, dimensions, _MERGED_AT_ONCE):
            moved += count
    return moved


async def order(connection: AsyncConnection) -> None:
    """Stores every tenant's vectors side by side: exact scans read a quarter of the pages. Locks each table."""
    for table in VECTOR_TABLES.values():
        await connection.exec_driver_sql(f"CLUSTER {table} USING {table}_by_code")
        await connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")


async def vacuum(connection: AsyncConnection) -> None:
    """After a large deletion: frees the rows, the graph's nodes and the pending words at once."""
    for table in (*VECTOR_TABLES.values(), "passages", "words", "files"):
        await connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")


async def run(url: str, arguments: argparse.Namespace) -> str:
    """Runs one command; returns what to print."""
    settings = {"search_path": f"{SCHEMA},public"}
    address = make_url(url).set(drivername="postgresql+asyncpg")  # an env file names no driver
    engine = create_async_engine(address, isolation_level="AUTOCOMMIT", connect_args={"server_settings": settings})
    try:
        async with engine.connect() as connection:
            if arguments.what == "merge":
                moved = await merge(connection, arguments.user, arguments.model, arguments.dimensions)
                return f"{moved} vectors moved"
            await (order(connection) if arguments.what == "order" else vacuum(connection))
            return "done"
    finally:
        await engine.dispose()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m search.maintenance")
    commands = parser.add_subparsers(dest="what", required=True)
    merging = commands.add_parser("merge")
    merging.add_argument("user")
    merging.add_argument("model")
    merging.add_argument("dimensions", type=int, choices=list(VECTOR_TABLES))
    commands.add_parser("order")
    commands.add_parser("vacuum")
    arguments = parser.parse_args()
    url = MaintenanceSettings().database_url  # pyright: ignore[reportCallIssue] - the environment fills it
    sys.stdout.write(asyncio.run(run(url, arguments)) + "\n")


if __name__ == "__main__":
    main()
