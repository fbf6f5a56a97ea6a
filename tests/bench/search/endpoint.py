"""The service's application, asked in process: what a search takes from request to answer, its encoder apart.

Beside it the same transactions, statement by statement, by a bare connection: what is left is the endpoint's own.
"""

import asyncio
import gc
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import numpy as np
from fastapi import FastAPI
from sqlalchemy import TextClause

from contracts.artifacts import Service
from contracts.events import UserChangedV1
from contracts.events.user_changed_v1 import ApiKeyHash, UserStatus
from database.binary_types import pass_as_bytes
from database.engine import Database
from database.reading import READ_ONLY, Reading, Rows, Terms, prepared
from embeddings.encoder import Encoded, Encoder
from hosting.app import create_app
from identity.api_keys import hash_api_key, new_api_key
from search.authenticator import ProjectedAuthenticator
from search.cache import AnswerCache
from search.finder import Finder
from search.models import Model, Models
from search.routes.searching import search_router
from search.store import principals
from search.tables import BINARY_TYPES
from tests.bench.search.filling import MODEL
from tests.bench.search.measuring import Bench, Selection


class Remembered(Encoder):
    """Knows the questions' vectors, so that encoding takes no time."""

    def __init__(self, bench: Bench) -> None:
        self._vectors = dict(zip(bench.questions, bench.vectors, strict=True))
        self._spoken = {" ".join(q.split()): v for q, v in self._vectors.items()}
        self._dimensions = bench.dimensions

    @property
    def model_id(self) -> str:
        """The model of the filled database."""
        return MODEL

    @property
    def dimensions(self) -> int:
        """Those of the filled database."""
        return self._dimensions

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Looks up."""
        return Encoded.free(np.stack([self._spoken[text] for text in texts]))


@dataclass
class Script:
    """What one connection is asked: statements with their values, and without any what begins a transaction."""

    tenant: str
    terms: Terms
    asked: list[tuple[str, list[Any] | None]] = field(default_factory=list[tuple[str, list[Any] | None]])

    def __post_init__(self) -> None:
        """It begins with a transaction."""
        self.asked.append((self.terms.begin(self.tenant), None))

    def begin_again(self, terms: Terms) -> None:
        """Ends a transaction and begins another."""
        self.asked.append((f"{self.terms.end}; {terms.begin(self.tenant)}", None))
        self.terms = terms

    @property
    def statements(self) -> int:
        """That have values."""
        return sum(values is not None for _, values in self.asked)


class Noting(Reading):
    """A reading that writes down what it is asked."""

    def __init__(self, reading: Reading, script: Script) -> None:
        self._reading = reading
        self._script = script

    async def begin_again(self, terms: Terms) -> None:
        """Begins it as well."""
        self._script.begin_again(terms)
        await self._reading.begin_again(terms)

    async def execute(self, statement: TextClause, values: Mapping[str, Any]) -> Rows:
        """Asks it as well."""
        ready = prepared(statement, "")
        self._script.asked.append((ready.sql, [values[name] for name in ready.names]))
        return await self._reading.execute(statement, values)


class Overheard(Database):
    """A database whose readings are written down."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.scripts: list[Script] = []

    @asynccontextmanager
    async def reading(self, tenant: str, terms: Terms = READ_ONLY) -> AsyncGenerator[Reading, None]:
        """As the database's own."""
        self.scripts.append(Script(tenant, terms))
        async with self._database.reading(tenant, terms) as reading:
            yield Noting(reading, self.scripts[-1])


@dataclass(frozen=True)
class Load:
    """What a number of clients saw; ``bare`` are the milliseconds of the same SQL by connections of their own."""

    clients: int
    milliseconds: Sequence[float]
    bare: Sequence[float]
    statements: float
    per_second: float

    def percentile(self, percent: float) -> float:
        """Of a request's milliseconds."""
        return float(np.percentile(self.milliseconds, percent))

    def sql_percentile(self, percent: float) -> float:
        """Of the bare SQL's milliseconds."""
        return float(np.percentile(self.bare, percent))

    def overhead(self, percent: float) -> float:
        """What the endpoint takes beyond its SQL."""
        return self.percentile(percent) - self.sql_percentile(percent)


async def measured(bench: Bench, user_id: str, selection: Selection, clients: int, rounds: int, mode: str) -> Load:
    """Every question ``rounds`` times, by so many clients at once; nothing is answered from the cache."""
    key = await _key(bench, user_id)
    bodies = [json.dumps(_body(question, selection, mode)).encode() for question in bench.questions]
    requests: list[list[Script]] = []
    for body in bodies:
        overheard = Overheard(bench.database)
        await _post(_application(bench, overheard), key, body)
        requests.append(overheard.scripts)
    app = _application(bench, bench.database)
    for _ in range(clients):
        await _post(app, key, bodies[0])
    gc.collect()
    gc.freeze()  # as hosting.serve does
    started = time.perf_counter()
    times = await _timed([lambda body: _post(app, key, body)] * clients, bodies * rounds)
    took = time.perf_counter() - started
    async with AsyncExitStack() as stack:
        bare = [await _connection(bench, stack) for _ in range(clients)]
        for connection in bare:
            await _replay(connection, requests[0])
        alone = await _timed([lambda scripts, c=c: _replay(c, scripts) for c in bare], requests * rounds)
    statements = sum(script.statements for scripts in requests for script in scripts) / len(requests)
    return Load(clients, times, alone, statements, len(times) / took)


def _application(bench: Bench, database: Database) -> FastAPI:
    finder = Finder(database, Models(Model(Remembered(bench), bench.calibration)), cache=AnswerCache(most_results=0))
    app = create_app(Service.SEARCH, routers=[search_router(finder)])
    app.state.authenticator = ProjectedAuthenticator(bench.database)
    return app


async def _timed(clients: Sequence[Callable[[Any], Awaitable[object]]], asked: Iterable[Any]) -> list[float]:
    """Milliseconds of each; every client takes the next one when it is done with one."""
    times: list[float] = []
    waiting = iter(asked)

    async def work(ask: Callable[[Any], Awaitable[object]]) -> None:
        for one in waiting:
            started = time.perf_counter()
            await ask(one)
            times.append((time.perf_counter() - started) * 1000)

    await asyncio.gather(*(work(client) for client in clients))
    return times


async def _connection(bench: Bench, stack: AsyncExitStack) -> asyncpg.Connection:
    address = bench.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(
        address,
        statement_cache_size=512,
        max_cacheable_statement_size=64 * 1024,
        server_settings={"search_path": "search,public"},
    )
    stack.push_async_callback(connection.close)
    await pass_as_bytes(connection, BINARY_TYPES)
    return connection


async def _replay(connection: asyncpg.Connection, scripts: Sequence[Script]) -> None:
    """The transactions of a request again."""
    for script in scripts:
        for sql, values in script.asked:
            await (connection.execute(sql) if values is None else connection.fetch(sql, *values))
        await connection.execute(script.terms.end)


def _body(question: str, selection: Selection, mode: str) -> dict[str, Any]:
    body: dict[str, Any] = {"query": question, "mode": mode}
    if selection.filters.created_from is not None:
        body["date_from"] = selection.filters.created_from.isoformat()
    return body


async def _key(bench: Bench, user_id: str) -> str:
    key = new_api_key()
    hashed = ApiKeyHash(key_id="bench", sha256=hash_api_key(key))
    version = time.time_ns()
    changed = UserChangedV1(user_id=user_id, version=version, status=UserStatus.ACTIVE, tier="free", api_keys=(hashed,))
    async with bench.database.transaction() as session:
        await principals.write(session, changed)
    return key


async def _post(app: FastAPI, key: str, body: bytes) -> bytes:
    """One request through the application and its middleware, as a server would hand it over."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/search",
        "raw_path": b"/api/v1/search",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"x-api-key", key.encode()), (b"content-type", b"application/json"), (b"host", b"bench")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    await app(scope, receive, send)  # pyright: ignore[reportArgumentType]
    if answered[0]["status"] != 200:
        raise RuntimeError(f"{answered[0]['status']}: {answered[1].get('body')!r}")
    return b"".join(message.get("body", b"") for message in answered[1:])
