"""A data directory into an initialised PostgreSQL cluster, reachable for its server user wherever it lies.

Under root the server runs as ``nobody``. It gets the data directory as an open handle (``/proc/self/fd/N``), so a
clone below ``/root`` works although nobody may not enter ``/root``, and no parent directory's mode is touched.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from localcloud.data_dir import ensure_secret
from localcloud.parentage import dies_with_parent
from localcloud.postgres_binaries import MAJOR_VERSION, ServerUser

SUPERUSER = "postgres"
DATABASE = "mmsearch"
PASSWORD_FILE = "password"  # noqa: S105 - a file's name

TUNING = {
    "shared_buffers": "512MB",
    "maintenance_work_mem": "512MB",
    "work_mem": "16MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "15s",
}
"""What the planner was measured with; deploy/compose.yaml and terraform/database.tf are compared with it.

Why each is what it is: docs/search-index.md. Shared memory is taken as it is first used, not at the start.
"""

_LEAVING_S = 30


class ClusterError(Exception):
    """The cluster cannot be used; the message says why."""


@dataclass(frozen=True)
class Cluster:
    """One cluster: ``directory`` holds ``pgdata`` and the password, ``sockets`` is a short private directory."""

    directory: Path
    sockets: Path
    binaries: Path
    user: ServerUser

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's own directory."""
        return self.directory / "pgdata"

    def ensure(self) -> None:
        """Initialises the cluster when it is not there; a half initialised one is thrown away first."""
        self.prepare_sockets()
        if not self.pgdata.exists():
            self._initialise()
        version = (self.pgdata / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise ClusterError(f"{self.pgdata} was made by PostgreSQL {version}; this is PostgreSQL {MAJOR_VERSION}")

    def prepare_sockets(self) -> None:
        """Makes the socket directory; refuses one that somebody else made, for they could listen in our place."""
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = self.sockets.lstat()
        if self.sockets.is_symlink() or owner.st_uid not in {os.geteuid(), self.user.uid}:
            raise ClusterError(f"the socket directory {self.sockets} belongs to somebody else")
        self.user.own(self.sockets)
        self.sockets.chmod(0o700)

    def wait_until_left(self) -> None:
        """Waits for the processes of a killed server, which leave by themselves; removes its stale lock files."""
        deadline = time.monotonic() + _LEAVING_S
        while remaining := self._processes():
            if time.monotonic() > deadline:
                raise ClusterError(f"a PostgreSQL (pid {remaining[0]}) already runs on {self.pgdata}")
            time.sleep(0.05)
        # The pid in them may by now be another process, or a dead one nobody has buried yet: PostgreSQL would take
        # it for a running server.
        for stale in (self.pgdata / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def start(self, port: int) -> subprocess.Popen[bytes]:
        """Starts the server as a child that shuts down when we die."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": '"' + str(self.sockets).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            **TUNING,
            "max_connections": "100",
            "log_checkpoints": "off",
            "log_line_prefix": "%p %q%u@%d ",
        }
        options = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        with self._reachable(self.pgdata) as (path, handles):
            return subprocess.Popen(
                [self.binaries / "bin/postgres", "-D", path, *options],
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                pass_fds=handles,
                preexec_fn=dies_with_parent(signal.SIGINT),  # noqa: PLW1509 - one thread, and nothing to import
                **self.user.popen_arguments(),
            )

    def is_ready(self, postmaster: int) -> bool:
        """True once the server with that pid accepts connections (recovery is over)."""
        try:
            lines = (self.pgdata / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0].strip() == str(postmaster) and lines[7].strip() == "ready"

    def _initialise(self) -> None:
        fresh = self.directory / "pgdata.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.user.own(fresh)
        password = self.sockets / "password"
        try:
            password.touch(mode=0o600)
            password.write_text(ensure_secret(self.directory / PASSWORD_FILE) + "\n")
            self.user.own(password)
            with self._reachable(fresh) as (path, handles):
                self._run("initdb", handles, "-D", path, f"--pwfile={password}", *_INITDB_OPTIONS)
                create = f"CREATE DATABASE {DATABASE}\n".encode()
                self._run("postgres", handles, "--single", "-D", path, SUPERUSER, stdin=create)
        finally:
            password.unlink(missing_ok=True)
        # Complete from here on: the name appears at once or not at all.
        fresh.rename(self.pgdata)

    def _run(self, program: str, handles: tuple[int, ...], *arguments: str, stdin: bytes = b"") -> None:
        result = subprocess.run(
            [self.binaries / "bin" / program, *arguments],
            check=False,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_environment(),
            pass_fds=handles,
            **self.user.popen_arguments(),
        )
        if result.returncode != 0:
            raise ClusterError(f"{program} failed: {result.stdout.decode(errors='replace').strip()[-2000:]}")

    @contextmanager
    def _reachable(self, directory: Path) -> Generator[tuple[str, tuple[int, ...]]]:
        """A path the server user can open ``directory`` by, and the handles a child must inherit for it."""
        if not (self.user.switched and sys.platform == "linux"):
            yield str(directory), ()
            return
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{handle}", (handle,)
        finally:
            os.close(handle)

    def _processes(self) -> list[int]:
        """PostgreSQL processes at work in this cluster: each has ``pgdata`` as its working directory."""
        found: list[int] = []
        for process in psutil.process_iter():
            # Processes that end meanwhile, and those of other users, are none of ours.
            with contextlib.suppress(psutil.Error, OSError):
                if process.name() == "postgres" and process.cwd() == str(self.pgdata):
                    found.append(process.pid)
        return found


_INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


def _environment() -> dict[str, str]:
    # PostgreSQL takes settings from the environment (PGDATA, PGPORT, LC_*, TZ): it gets none of the caller's.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
