"""A real Postgres for the integration tests: one server per test process, one fresh database per test.

``admin_url`` is the fresh database. With ``service_database`` it is a copy of the one database of the server in which
the service's migrations were run.
"""

import asyncio
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from database.engine import Database
from database.migrate import migrate
from localcloud.postgres import superuser_password
from tests.databases import open_as_service
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
_names = itertools.count(1)

ServiceDatabase = Callable[[str], Awaitable[Database]]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server of this test process, as its superuser and without a database name."""
    home = Path(tempfile.mkdtemp(prefix="mmsearch-test-", dir="/tmp"))
    home.chmod(0o711)  # under root the server runs as nobody, who must get to its socket
    data, port = home / "data", free_port()
    command = [sys.executable, "-m", "localcloud.postgres", "--data-dir", str(data), "--port", str(port)]
    paths = os.pathsep.join(str(ROOT / path) for path in ("", "libs", "services", "deploy/local"))
    server = subprocess.Popen(
        [*command, "--socket-dir", str(home / "socket")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert server.stdout is not None
    try:
        ready = server.stdout.readline()
        if not ready:
            raise RuntimeError(f"postgres did not start, exit code {server.wait(10)}")
        server_url = f"postgresql+asyncpg://postgres:{superuser_password(data)}@127.0.0.1:{port}"
        # Nothing in it outlives the tests, and with fsync dropping a database takes most of a second.
        asyncio.run(_as_superuser(server_url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
        yield server_url
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def templates() -> set[str]:
    """The services whose migrations were run on this server."""
    return set()


@pytest.fixture
async def admin_url(postgres_server: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A fresh database as the superuser sees it, empty without ``service_database``: ``postgresql+asyncpg://…``."""
    name = f"test_{next(_names)}"
    if "service_database" not in request.fixturenames:
        await _as_superuser(postgres_server, f"CREATE DATABASE {name} TEMPLATE template0")
    yield f"{postgres_server}/{name}"
    await _as_superuser(postgres_server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
async def service_database(postgres_server: str, admin_url: str, templates: set[str]) -> AsyncIterator[ServiceDatabase]:
    """``await service_database("search")``: the test's database with the service's schema, as the service's role."""
    opened: list[Database] = []

    async def open_database(service: str) -> Database:
        if service not in templates:
            await _make_template(postgres_server, service)
            templates.add(service)
        url = make_url(admin_url).set(username=service, password="secret")
        await _as_superuser(postgres_server, f"CREATE DATABASE {url.database} TEMPLATE {service}")
        opened.append(open_as_service(url))
        return opened[-1]

    yield open_database
    for database in opened:
        await database.close()


async def _make_template(server: str, service: str) -> None:
    await _as_superuser(server, f"CREATE DATABASE {service} TEMPLATE template0")
    await migrate(f"{server}/{service}", service, ROOT / "services" / service / "migrations", "secret", "head")
    # A database that somebody is connected to, like autovacuum, cannot be copied.
    await _as_superuser(server, f"ALTER DATABASE {service} ALLOW_CONNECTIONS false")


async def _as_superuser(server: str, *statements: str) -> None:
    connection = await asyncpg.connect(server.replace("+asyncpg", "") + "/postgres")
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
