"""Connections that are cheap to borrow: the one given back last is the next to be lent.

The driver's own pool spends a task, a shield and two timers on each loan, a good tenth of what a list of uploads takes
(docs/decisions/0029).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from database.outages import OUTAGES

_WAIT_S = 10.0
_IDLE_S = 60.0
_CLOSE_S = 5.0


class Pool:
    """At most ``size`` connections of asyncpg, made by ``connect`` when needed, closed after a minute or two unused."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        self._connect = connect
        self._slots = asyncio.Semaphore(size)
        self._free: list[tuple[float, Any]] = []
        self._sweeping: asyncio.TimerHandle | None = None
        self._partings = set[asyncio.Task[None]]()
        self._closed = False

    @asynccontextmanager
    async def borrowed(self) -> AsyncGenerator[Any, None]:
        """A connection outside of any transaction.

        Raises ``TimeoutError`` when none gets free in time, and what ``connect`` raises.
        """
        await self._slot()
        try:
            connection = self._at_hand() or await self._connect()
            sound = False
            try:
                yield connection
                sound = True
            except Exception:
                sound = True  # what the server refused leaves the connection as it was
                raise
            finally:  # when cancelled, the server may be in the middle of a statement
                if sound and not self._closed and not connection.is_closed() and not connection.is_in_transaction():
                    self._keep(connection)
                else:
                    self._part_with(connection)
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Closes every connection; those that are lent, when they are given back."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._part_with_those_unused_since(float("inf"))
        await asyncio.gather(*self._partings)

    async def _slot(self) -> None:
        if self._slots.locked():
            async with asyncio.timeout(_WAIT_S):
                await self._slots.acquire()
        else:
            await self._slots.acquire()

    def _at_hand(self) -> Any:
        while self._free:
            _, connection = self._free.pop()
            if not connection.is_closed():
                return connection
        return None

    def _keep(self, connection: Any) -> None:
        loop = asyncio.get_running_loop()
        self._free.append((loop.time(), connection))
        if self._sweeping is None:
            self._sweeping = loop.call_later(_IDLE_S, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._part_with_those_unused_since(loop.time() - _IDLE_S)
        self._sweeping = loop.call_later(_IDLE_S, self._sweep) if self._free else None

    def _part_with_those_unused_since(self, moment: float) -> None:
        while self._free and self._free[0][0] <= moment:
            self._part_with(self._free.pop(0)[1])

    def _part_with(self, connection: Any) -> None:
        parting = asyncio.get_running_loop().create_task(_ended(connection))
        self._partings.add(parting)
        parting.add_done_callback(self._partings.discard)


async def _ended(connection: Any) -> None:
    """Ends what the server still does for a connection, and then the connection."""
    with suppress(asyncpg.PostgresError, *OUTAGES):
        await connection.close(timeout=_CLOSE_S)
