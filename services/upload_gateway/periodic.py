"""Runs jobs again and again for as long as the application runs, each on at most one instance at a time."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import text

from database.engine import Database

_log = structlog.get_logger()


@dataclass(frozen=True)
class PeriodicJob:
    """``run`` is called every ``every_s`` seconds; it must be safe to be cut off anywhere and begun again."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]


@asynccontextmanager
async def periodically(database: Database, jobs: Sequence[PeriodicJob]) -> AsyncGenerator[None, None]:
    """The jobs run in the background while this is entered. What a job raises is logged; its next turn comes."""
    running = [asyncio.create_task(_repeat(database, job), name=job.name) for job in jobs]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def run_alone(database: Database, job: PeriodicJob) -> bool:
    """Runs the job once unless another instance is at it; False then.

    The lock belongs to a connection of its own, outside any transaction, and goes with it however that ends.
    """
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        key = {"key": _key(job.name)}
        if not await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            return False
        try:
            await job.run()
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
    return True


async def _repeat(database: Database, job: PeriodicJob) -> None:
    while True:
        await asyncio.sleep(job.every_s)
        try:
            await run_alone(database, job)
        except Exception as error:
            _log.warning("periodic job failed", job=job.name, reason=f"{type(error).__name__}: {error}"[:300])


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"periodic/{name}".encode()).digest()[:8], "big", signed=True)
