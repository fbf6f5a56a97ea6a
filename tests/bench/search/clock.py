"""A database into one whose reading transactions are timed, statement by statement, from sending to the rows."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from database.engine import Database
from database.reading import READ_ONLY, Prepared, Reading, Terms


@dataclass
class SqlClock:
    """Seconds spent in the driver and the number of statements; for one client at a time."""

    seconds: float = 0.0
    statements: int = 0

    def take(self) -> tuple[float, int]:
        """Milliseconds and statements since the last time."""
        taken = self.seconds * 1000, self.statements
        self.seconds, self.statements = 0.0, 0
        return taken


class Timed(Reading):
    """A transaction whose statements a clock counts."""

    def __init__(self, reading: Reading, clock: SqlClock) -> None:
        self._reading = reading
        self._clock = clock

    async def begin_again(self, terms: Terms) -> None:
        """As the transaction itself does."""
        await self._reading.begin_again(terms)

    async def rows(self, query: Prepared, values: Mapping[str, object]) -> list[Mapping[str, Any]]:
        """As the transaction itself answers."""
        started = time.perf_counter()
        try:
            return await self._reading.rows(query, values)
        finally:
            self._clock.seconds += time.perf_counter() - started
            self._clock.statements += 1


class Clocked(Database):
    """The same connections as another database's, timed."""

    def __init__(self, database: Database, clock: SqlClock) -> None:
        self.__dict__.update(database.__dict__)
        self._clock = clock

    @asynccontextmanager
    async def reading(self, tenant: str, terms: Terms = READ_ONLY) -> AsyncGenerator[Reading, None]:
        """As the database itself opens it."""
        async with super().reading(tenant, terms) as reading:
            yield Timed(reading, self._clock)
