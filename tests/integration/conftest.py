"""A real Postgres for the integration tests: one server per test process, one fresh database per test.

``admin_url`` is the fresh database; ``service_database("search")`` brings a service's schema into it and logs in.
"""

import itertools
import os
import shutil
import socket
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

ROOT = Path(__file__).parents[2]
_names = itertools.count(1)

ServiceDatabase = Callable[[str], Awaitable[Database]]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server of this test process, as its superuser and without a database name."""
    home = Path(tempfile.mkdtemp(prefix="mmsearch-test-", dir="/tmp"))
    home.chmod(0o711)  # under root the server runs as nobody, who must get to its socket
    data, port = home / "data", _free_port()
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
        password = superuser_password(data)
        yield f"postgresql+asyncpg://postgres:{password}@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def admin_url(postgres_server: str) -> AsyncIterator[str]:
    """A fresh, empty database as the superuser sees it: ``postgresql+asyncpg://…``."""
    name = f"test_{next(_names)}"
    await _as_superuser(postgres_server, f"CREATE DATABASE {name} TEMPLATE template0")
    yield f"{postgres_server}/{name}"
    await _as_superuser(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def service_database(admin_url: str) -> AsyncIterator[ServiceDatabase]:
    """``await service_database("search")``: migrates the service's schema, answers a ``Database`` as its role."""
    opened: list[Database] = []

    async def open_database(service: str) -> Database:
        await migrate(admin_url, service, ROOT / "services" / service / "migrations", "secret", "head")
        url = make_url(admin_url).set(username=service, password="secret")
        opened.append(Database(url.render_as_string(hide_password=False), service))
        return opened[-1]

    yield open_database
    for database in opened:
        await database.close()


async def _as_superuser(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server.replace("+asyncpg", "") + "/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
