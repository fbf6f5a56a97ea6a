"""Reads for the routes that are asked most: one tenant's rows by statements compiled once, straight by the driver.

SQLAlchemy's session spends five times what the driver does on a row found by its key (decision 0020). Row security
holds as in :class:`database.engine.Database`: the tenant is bound in the transaction that reads.
"""

import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

import asyncpg
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from pydantic_core import from_json
from sqlalchemy import Select, TextClause
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from database.binary_types import pass_as_bytes
from database.driver import connect
from database.outages import outages_told
from database.pool import Pool
from telemetry.sql import sanitized

IDLE_S = 60.0
"""Seconds after which the server ends a transaction of which it hears nothing."""

LIMITS = MappingProxyType({"idle_in_transaction_session_timeout": f"{IDLE_S:.0f}s", "statement_timeout": "120s"})
"""Settings of every connection: what a server that is alive ends by itself."""

GIVEN_UP_AFTER_S = 150.0
"""Seconds after which a server that says nothing at all is given up."""

# Each connection keeps its own at the server, up to half a megabyte each of those that search.
_STATEMENTS_KEPT = 128
_STATEMENTS_COMPILED = 512
_LONGEST_KEPT = 64 * 1024
_BOUND = (
    "SELECT answer.* FROM set_config('app.user_id', ${tenant}, true) AS bound (tenant) "
    "CROSS JOIN LATERAL (SELECT * FROM ({asked}) AS asked WHERE bound.tenant IS NOT NULL OFFSET 0) AS answer"
)
"""What is asked refers to the binding and OFFSET keeps it apart: it can run only for the row of the binding
(docs/decisions/0023)."""
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE) (\w+)")
_tracer = trace.get_tracer(__name__)


@dataclass(frozen=True)
class Terms:
    """What holds for one transaction: its settings, and whether it only reads, all of it from one state of the data.

    ``notes``: read-write with ``synchronous_commit`` off; a crash of the server may lose the last half second.
    """

    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: bool = False

    def begin(self, tenant: str) -> str:
        """Opens a transaction that sees only ``tenant``'s rows. Text, because a simple query takes no parameters."""
        return f"{self._begin}set_config('app.user_id', {_literal(tenant)}, true)"

    @cached_property
    def _begin(self) -> str:
        settings = {**self.settings, **({"synchronous_commit": "off"} if self.notes else {})}
        bound = "".join(f"set_config({_literal(name)}, {_literal(to)}, true), " for name, to in settings.items())
        mode = "READ WRITE" if self.notes else "READ ONLY, ISOLATION LEVEL REPEATABLE READ"
        return f"BEGIN {mode}; SELECT {bound}"

    @property
    def end(self) -> str:
        """Where nothing was written, a rollback ends a failed transaction too."""
        return "COMMIT" if self.notes else "ROLLBACK"


READ_ONLY = Terms()


@dataclass(frozen=True)
class Prepared:
    """A statement ready for the driver: its text and the names of its parameters in their order."""

    sql: str
    names: tuple[str, ...]
    table: str

    @cached_property
    def bound(self) -> str:
        """A SELECT that binds the tenant, its last parameter, before it reads."""
        return _BOUND.format(tenant=len(self.names) + 1, asked=self.sql)

    @cached_property
    def operation(self) -> str:
        """Its first word."""
        return self.sql.split(None, 1)[0].upper()

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """What its spans say of it; literals are hidden."""
        return {
            "db.system.name": "postgresql",
            "db.operation.name": self.operation,
            "db.collection.name": self.table,
            "db.query.text": sanitized(self.sql),
        }


def prepared(statement: Select[Any] | TextClause, table: str) -> Prepared:
    """Compiles a statement whose values are ``bindparam``s; to be done once for each form of a statement."""
    compiled = statement.compile(dialect=dialect.dialect())
    return Prepared(str(compiled), tuple(getattr(compiled, "positiontup", None) or ()), table)


@lru_cache(maxsize=_STATEMENTS_COMPILED)
def _prepared(statement: TextClause) -> Prepared:
    table = _TABLE.search(statement.text)
    return prepared(statement, table[1] if table else "")


class Row(asyncpg.Record):
    """A row whose columns are attributes as well."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Rows:
    """What a statement answered, as a session's result would give it."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> Sequence[Any]:
        """Every row."""
        return self._rows

    def one(self) -> Any:
        """The only row there is."""
        (row,) = self._rows
        return row


class Reading:
    """A transaction that reads as one tenant, or notes something as well."""

    def __init__(self, connection: Any, schema: str, tenant: str, terms: Terms) -> None:
        self._connection = connection
        self._schema = schema
        self._tenant = tenant
        self.terms = terms

    async def begin_again(self, terms: Terms) -> None:
        """Ends the transaction and begins another of the same tenant: one round trip, where it takes two apart."""
        end, self.terms = self.terms.end, terms
        await self._connection.execute(f"{end}; {terms.begin(self._tenant)}")

    async def rows(self, query: Prepared, values: Mapping[str, object]) -> list[Mapping[str, Any]]:
        """Every row, by column name; JSON is decoded."""
        return await self._fetch(query, query.sql, *(values[name] for name in query.names))

    async def only(self, query: Prepared, values: Mapping[str, object]) -> list[Mapping[str, Any]]:
        """The same as a transaction of its own, outside of any other: one round trip for everything."""
        return await self._fetch(query, query.bound, *(values[name] for name in query.names), self._tenant)

    async def execute(self, statement: TextClause, values: Mapping[str, Any]) -> Rows:
        """As a session would, of a statement in SQL: whoever keeps it compiles it once."""
        return Rows(await self.rows(_prepared(statement), values))

    async def _fetch(self, query: Prepared, sql: str, *parameters: object) -> list[Mapping[str, Any]]:
        if not trace.get_current_span().is_recording():
            return await self._connection.fetch(sql, *parameters)
        name, about = f"{query.operation} {query.table}", {**query.attributes, "db.namespace": self._schema}
        with _tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=about):
            return await self._connection.fetch(sql, *parameters)


class Reader:
    """Connections for reading, opened when needed and closed when idle. ``url`` is ``postgresql+asyncpg://…``.

    ``binary_types``: names of types whose values are passed as ``bytes``.
    """

    def __init__(self, url: str, schema: str, *, pool_size: int, binary_types: Sequence[str] = ()) -> None:
        self._url = url
        self._schema = schema
        self._binary_types = binary_types
        self._pool = Pool(self._connect, pool_size)

    @asynccontextmanager
    async def reading(self, tenant: str, terms: Terms = READ_ONLY) -> AsyncGenerator[Reading, None]:
        """One transaction that sees only ``tenant``'s rows. Raises ``DatabaseUnavailableError``."""
        with outages_told():
            async with self._pool.borrowed() as connection:
                await connection.execute(terms.begin(tenant))
                reading, end = Reading(connection, self._schema, tenant, terms), "ROLLBACK"
                try:
                    yield reading
                    end = reading.terms.end
                finally:
                    if not connection.is_closed():
                        await connection.execute(end)

    async def only(self, tenant: str, query: Prepared, values: Mapping[str, object]) -> list[Mapping[str, Any]]:
        """The rows of ``tenant`` that one SELECT finds. Raises ``DatabaseUnavailableError``."""
        with outages_told():
            async with self._pool.borrowed() as connection:
                return await Reading(connection, self._schema, tenant, READ_ONLY).only(query, values)

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.close()

    async def _connect(self) -> Any:
        connection: Any = await connect(
            self._url,
            f"{self._schema}_reading",
            statement_cache_size=_STATEMENTS_KEPT,
            max_cacheable_statement_size=_LONGEST_KEPT,
            max_cached_statement_lifetime=0,
            record_class=Row,
            command_timeout=GIVEN_UP_AFTER_S,
            server_settings={
                "search_path": f"{self._schema},public",
                "default_transaction_read_only": "on",
                **LIMITS,
            },
        )
        try:
            await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=from_json)
            await pass_as_bytes(connection, self._binary_types)
        except BaseException:
            connection.terminate()
            raise
        return connection


def _literal(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a tenant holds no NUL")
    return "'" + text.replace("'", "''") + "'"
