"""Reads for the routes that are asked most: one tenant's rows by statements compiled once, straight by the driver.

SQLAlchemy's session spends five times what the driver does on a row found by its key (decision 0020). Row security
holds as in :class:`database.engine.Database`: the tenant is bound in the transaction that reads.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from database.outages import DatabaseUnavailableError

_ACQUIRE_S = 10.0
_CONNECT_S = 5
_IDLE_S = 60.0
_OUTAGES = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError)
_tracer = trace.get_tracer(__name__)


@dataclass(frozen=True)
class Prepared:
    """A SELECT ready for the driver: its text and the names of its parameters in their order."""

    sql: str
    names: tuple[str, ...]
    table: str


def prepared(statement: Select[Any], table: str) -> Prepared:
    """Compiles a statement whose values are ``bindparam``s; to be done once for each form of a statement."""
    compiled = statement.compile(dialect=dialect.dialect())
    return Prepared(str(compiled), tuple(getattr(compiled, "positiontup", None) or ()), table)


class Reading:
    """A transaction that reads as one tenant."""

    def __init__(self, connection: Any, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    async def rows(self, query: Prepared, values: Mapping[str, object]) -> list[Mapping[str, Any]]:
        """Every row, by column name; JSON is decoded."""
        attributes = {
            "db.system.name": "postgresql",
            "db.namespace": self._schema,
            "db.operation.name": "SELECT",
            "db.collection.name": query.table,
            "db.query.text": query.sql,
        }
        with _tracer.start_as_current_span(f"SELECT {query.table}", kind=SpanKind.CLIENT, attributes=attributes):
            return await self._connection.fetch(query.sql, *(values[name] for name in query.names))


class Reader:
    """Connections for reading, opened when needed and closed when idle. ``url`` is ``postgresql+asyncpg://…``."""

    def __init__(self, url: str, schema: str, *, pool_size: int) -> None:
        self._url = url.replace("postgresql+asyncpg://", "postgresql://", 1)
        self._schema = schema
        self._pool_size = pool_size
        self._pool: Any = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def reading(self, tenant: str) -> AsyncGenerator[Reading, None]:
        """One transaction that sees only ``tenant``'s rows. Raises ``DatabaseUnavailableError``."""
        try:
            pool = self._pool or await self._open()
            async with pool.acquire(timeout=_ACQUIRE_S) as connection:
                # One round trip for both; text, because a simple query takes no parameters.
                await connection.execute(f"BEGIN READ ONLY; SELECT set_config('app.user_id', {_literal(tenant)}, true)")
                try:
                    yield Reading(connection, self._schema)
                finally:
                    if not connection.is_closed():
                        await connection.execute("ROLLBACK")  # nothing was written; ends a failed transaction too
        except _OUTAGES as error:
            raise DatabaseUnavailableError(f"{type(error).__name__}: {error}"[:300]) from error

    async def close(self) -> None:
        """Closes every connection."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.close()

    async def _open(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._pool_size,
                    max_inactive_connection_lifetime=_IDLE_S,
                    timeout=_CONNECT_S,
                    init=_init,
                    reset=_nothing_to_reset,
                    server_settings={
                        "search_path": f"{self._schema},public",
                        "application_name": f"{self._schema}_reading",
                        "idle_in_transaction_session_timeout": "60s",
                    },
                )
            return self._pool


async def _init(connection: Any) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _nothing_to_reset(_connection: Any) -> None:
    """Every setting was the transaction's own and has ended with it."""


def _literal(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a tenant holds no NUL")
    return "'" + text.replace("'", "''") + "'"
