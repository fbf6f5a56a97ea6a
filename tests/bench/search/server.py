"""A work directory into a running Postgres with the embedded cloud's settings, and databases with search's schema."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from database.migrate import migrate
from localcloud.postgres import superuser_password
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
ROLE_PASSWORD = "bench"


@dataclass(frozen=True)
class Server:
    """A server of this run's own."""

    port: int
    password: str

    def admin_url(self, database: str) -> str:
        """The superuser's address of a database."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def service_url(self, database: str) -> str:
        """The address as the search service has it."""
        return f"postgresql+asyncpg://search:{ROLE_PASSWORD}@127.0.0.1:{self.port}/{database}"

    async def create(self, database: str) -> None:
        """A fresh database with the schema of search."""
        admin = await asyncpg.connect(self.admin_url("postgres"))
        try:
            await admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            await admin.execute(f"CREATE DATABASE {database} TEMPLATE template0")
        finally:
            await admin.close()
        url = self.admin_url(database).replace("postgresql:", "postgresql+asyncpg:")
        await migrate(url, "search", ROOT / "services/search/migrations", ROLE_PASSWORD, "head")

    async def has(self, database: str) -> bool:
        """True when an earlier run left it."""
        admin = await asyncpg.connect(self.admin_url("postgres"))
        try:
            return await admin.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database)
        finally:
            await admin.close()

    async def drop(self, database: str) -> None:
        """Frees the disk."""
        admin = await asyncpg.connect(self.admin_url("postgres"))
        try:
            await admin.execute(f"DROP DATABASE {database} WITH (FORCE)")
        finally:
            await admin.close()


@contextmanager
def running(home: Path) -> Iterator[Server]:
    """Starts a server on a free port, stops it at the end."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)  # under root the server runs as nobody, who must get to its socket
    data, port = home / "postgres", free_port()
    command = [sys.executable, "-m", "localcloud.postgres", "--data-dir", str(data), "--port", str(port)]
    paths = os.pathsep.join(str(ROOT / path) for path in ("", "libs", "services", "deploy/local"))
    server = subprocess.Popen(
        [*command, "--socket-dir", str(home / "socket")],
        stdout=subprocess.PIPE,
        stderr=(home / "postgres.log").open("w"),
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert server.stdout is not None
    try:
        ready = server.stdout.readline()
        if not ready or not json.loads(ready)["ready"]:
            raise RuntimeError(f"postgres did not start, exit code {server.wait(10)}")
        yield Server(port, superuser_password(data))
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()
