"""Brings up a Postgres of its own for a benchmark, with one service's schema in it, and takes it down again."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from database.engine import Database
from database.migrate import migrate
from localcloud.postgres import superuser_password
from tests.databases import open_as_service
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
_PATHS = os.pathsep.join(str(ROOT / path) for path in ("", "libs", "services", "deploy/local"))


@asynccontextmanager
async def service_database(directory: Path, service: str) -> AsyncIterator[Database]:
    """The service's schema in an empty database, seen as the service's role."""
    directory.chmod(0o711)  # under root the server runs as nobody, who must get to its socket
    data, port = directory / "postgres", free_port()
    log = (directory / "postgres.log").open("w")
    command = [sys.executable, "-m", "localcloud.postgres", "--data-dir", str(data), "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--socket-dir", str(directory / "socket")],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "PYTHONPATH": _PATHS},
    )
    try:
        assert server.stdout is not None
        if not await asyncio.to_thread(server.stdout.readline):
            raise RuntimeError(f"postgres did not start, exit code {server.wait(10)}")
        admin = f"postgresql+asyncpg://postgres:{superuser_password(data)}@127.0.0.1:{port}/postgres"
        await migrate(admin, service, ROOT / "services" / service / "migrations", "secret", "head")
        url = make_url(admin).set(username=service, password="secret")
        async with open_as_service(url) as database:
            yield database
    finally:
        server.terminate()
        server.wait(30)
        log.close()
