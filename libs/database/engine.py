"""Turns a database URL into sessions whose transaction may only see one tenant's rows."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self

from sqlalchemy import Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from database.binary_types import pass_as_bytes
from database.locks import alone
from database.outages import DatabaseTooSlowError, DatabaseUnavailableError, outages_told
from database.reading import GIVEN_UP_AFTER_S, IDLE_S, LIMITS, READ_ONLY, Prepared, Reader, Reading, Terms
from telemetry import configure as telemetry

NO_TENANT = ""
"""For transactions on tables without tenants (outbox, users); row security then shows no tenant's rows."""

CONNECTIONS = 16
"""What one process opens at most unless it is told otherwise; ``DATABASE_POOL_SIZE`` has the same default."""

_IDLE_SINCE = "idle_since"
_DOUBTFUL_AFTER_S = 30.0
"""A connection that lay unused for longer is asked for a sign of life before it is used."""

_BIND = text("SELECT set_config('app.user_id', :tenant, true)")

_OUTAGE_STATES = ("08", "57", "53")  # connection lost; shutting down or starting; out of resources
_TOO_SLOW = "57014"


class Database:
    """An engine and its sessions. ``url`` is ``postgresql+asyncpg://…``; ``schema`` comes first on the search path.

    ``pool_size``: connections it opens at most, two or more; half of them serve sessions, the other half ``reading``.
    ``binary_types``: names of types whose values are passed as ``bytes`` (:mod:`database.binary_types`).
    """

    def __init__(
        self, url: str, schema: str, *, pool_size: int = CONNECTIONS, binary_types: Sequence[str] = ()
    ) -> None:
        reading = pool_size // 2
        self.engine = create_async_engine(
            url,
            # All are kept: one closed as soon as it is free is opened anew a moment later, which costs the server a
            # process. The last one used is the next, so that under less load the others rest.
            pool_size=pool_size - reading,
            max_overflow=0,
            pool_use_lifo=True,
            pool_timeout=10,
            hide_parameters=True,  # values are people's texts and keys; errors end in the log
            connect_args={
                "timeout": 5,
                "command_timeout": GIVEN_UP_AFTER_S,
                "server_settings": {
                    "search_path": f"{schema},public",
                    "application_name": schema,
                    **LIMITS,
                },
            },
        )
        self._url, self._schema = url, schema
        _mind_lost_connections(self.engine.sync_engine)
        _pass_as_bytes(self.engine.sync_engine, binary_types)
        telemetry.instrument_engine(self.engine.sync_engine, schema)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._reader = Reader(url, schema, pool_size=reading, binary_types=binary_types)

    @asynccontextmanager
    async def transaction(self, tenant: str = NO_TENANT) -> AsyncGenerator[AsyncSession, None]:
        """A session in one transaction that sees only ``tenant``'s rows: commits at the end, rolls back on an error.

        Raises ``DatabaseUnavailableError`` when the connection is lost or cannot be had; ``DatabaseTooSlowError`` when
        a statement takes too long, or when the connection is lost so late that the server may have ended an idle
        transaction.
        """
        started = time.monotonic()
        try:
            async with self._sessions() as session, session.begin():
                await _bind(session, tenant)
                yield session
        except NoFreeConnectionError as error:
            raise DatabaseUnavailableError("every connection is in use") from error
        except TimeoutError as error:
            raise DatabaseUnavailableError("the server does not answer") from error
        except (DBAPIError, InterfaceError) as error:
            if _state(error) == _TOO_SLOW or (_is_outage(error) and time.monotonic() - started >= IDLE_S):
                raise DatabaseTooSlowError(str(error)[:300]) from error
            if _is_outage(error):
                raise DatabaseUnavailableError(str(error)[:300]) from error
            raise

    def reading(self, tenant: str, terms: Terms = READ_ONLY) -> AbstractAsyncContextManager[Reading]:
        """A transaction for the routes asked most: sees only ``tenant``'s rows, reads by prepared statements."""
        return self._reader.reading(tenant, terms)

    async def read(self, tenant: str, query: Prepared, values: Mapping[str, object]) -> list[Mapping[str, Any]]:
        """The rows of ``tenant`` that one SELECT finds, by column name: a transaction in a single round trip."""
        return await self._reader.only(tenant, query, values)

    def alone(self, name: str) -> AbstractAsyncContextManager[bool]:
        """True while no other process has the lock called ``name``, False when one has. Of all that share a database.

        Its connection is none of the pool's: what is done meanwhile has the whole pool.
        """
        return alone(self._url, f"{self._schema}_alone", name)

    async def ping(self) -> None:
        """Raises when the database does not answer."""
        async with self._sessions() as session:
            await session.execute(text("SELECT 1"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes every connection."""
        await self.close()

    async def close(self) -> None:
        """Closes every connection."""
        await self._reader.close()
        await self.engine.dispose()


async def _bind(session: AsyncSession, tenant: str) -> None:
    try:
        await session.execute(_BIND, {"tenant": tenant})
    except OSError as error:  # the driver's own, while connecting: refused, no socket, timed out
        raise DatabaseUnavailableError(f"{type(error).__name__}: {error}") from error


def _mind_lost_connections(engine: Engine) -> None:
    """Replaces a connection that was lost while it lay in the pool.

    The driver notices a server that went away; only what lay long may be half open. SQLAlchemy's own check would
    ask the server every time, three round trips for each transaction.
    """

    def checked_in(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    def checked_out(connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        idle_s = time.monotonic() - record.info.get(_IDLE_SINCE, time.monotonic())
        try:
            if connection.driver_connection.is_closed():
                raise DisconnectionError("the connection was lost")
            if idle_s > _DOUBTFUL_AFTER_S:
                engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the connection does not answer") from error

    event.listen(engine, "checkin", checked_in)
    event.listen(engine, "checkout", checked_out)


def _pass_as_bytes(engine: Engine, types: Sequence[str]) -> None:
    def connected(connection: Any, _record: ConnectionPoolEntry) -> None:
        with outages_told():
            connection.run_async(lambda driver_connection: pass_as_bytes(driver_connection, types))

    event.listen(engine, "connect", connected)


def _is_outage(error: DBAPIError | InterfaceError) -> bool:
    """True when the database was not there, as opposed to a statement it refused."""
    if isinstance(error, InterfaceError):
        return True
    return error.connection_invalidated or isinstance(error.orig, OSError) or _state(error).startswith(_OUTAGE_STATES)


def _state(error: DBAPIError | InterfaceError) -> str:
    return str(getattr(error.orig, "sqlstate", "") or "")
