"""One connection that listens to Postgres notifications and calls back with their payloads, reconnecting for ever."""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
import structlog

from database.driver import CONNECT_S, connect
from database.outages import OUTAGES

_CHECK_EVERY_S = 15.0
"""A connection whose other end vanished says nothing by itself."""
_RETRY_S = 1.0

_log = structlog.get_logger()


class Listener:
    """``channels``: what to call with a payload of each. ``on_gap`` follows every (re)connection: notifications of
    the time without one are lost.
    """

    def __init__(self, url: str, channels: Mapping[str, Callable[[str], None]], on_gap: Callable[[], None]) -> None:
        self._url = url
        self._channels = dict(channels)
        self._on_gap = on_gap

    async def run(self) -> None:
        """Until cancelled. Outages are logged and outlived."""
        while True:
            try:
                await self._listen()
            except (asyncpg.PostgresError, *OUTAGES) as error:
                _log.warning("live changes wait for the database", reason=f"{type(error).__name__}: {error}"[:300])
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        """Until the connection is lost."""
        connection = await connect(self._url, "live_changes")
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            for channel in self._channels:
                await connection.add_listener(channel, self._on_notification)
            self._on_gap()
            while not lost.is_set():
                try:
                    async with asyncio.timeout(_CHECK_EVERY_S):
                        await lost.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=CONNECT_S)
        finally:
            connection.terminate()

    def _on_notification(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._channels[channel](str(payload))
