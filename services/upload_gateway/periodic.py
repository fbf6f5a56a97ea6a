"""Runs jobs again and again for as long as the application runs, each on at most one instance at a time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

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
    """Runs the job once unless another instance is at it; False then."""
    async with database.alone(f"periodic/{job.name}") as alone:
        if alone:
            await job.run()
    return alone


async def _repeat(database: Database, job: PeriodicJob) -> None:
    while True:
        await asyncio.sleep(job.every_s)
        try:
            await run_alone(database, job)
        except Exception as error:
            _log.warning("periodic job failed", job=job.name, reason=f"{type(error).__name__}: {error}"[:300])
