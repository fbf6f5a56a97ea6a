"""``python -m localcloud.postgres``: a data directory into a running PostgreSQL 18 with pgvector on loopback TCP.

Prints one JSON line when it accepts connections; SIGTERM stops it cleanly; exit code 2 means it could not start.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from types import FrameType

from localcloud.data_dir import ensure_secret
from localcloud.ports import LOOPBACK, holder, is_free
from localcloud.postgres_binaries import installed, runnable, server_user
from localcloud.postgres_cluster import DATABASE, PASSWORD_FILE, SUPERUSER, Cluster, ClusterError

_CANNOT_START = 2
_POLL_S = 0.01
_SOCKET_PATH_MAX = 90  # the kernel's limit is 107 with the socket's own name


def superuser_password(directory: Path) -> str:
    """The password of the role ``postgres`` of the cluster in ``directory``, generated at first use."""
    return ensure_secret(directory / PASSWORD_FILE)


def url(role: str, password: str, port: int) -> str:
    """How any PostgreSQL client reaches the system's database: ``postgresql://…``."""
    return f"postgresql://{role}:{password}@{LOOPBACK}:{port}/{DATABASE}"


def admin_url(directory: Path, port: int) -> str:
    """The superuser's URL."""
    return url(SUPERUSER, superuser_password(directory), port)


def socket_dir(directory: Path, runtime_dir: str | None) -> Path:
    """A short private directory for the socket of the cluster in ``directory``; per user and cluster.

    ``runtime_dir`` is the user's own (``XDG_RUNTIME_DIR``); root's server user could not enter root's.
    """
    name = f"mmsearch-{os.geteuid()}-{sha256(str(directory.resolve()).encode()).hexdigest()[:12]}"
    if runtime_dir and os.geteuid() != 0 and Path(runtime_dir).is_dir() and len(runtime_dir) < _SOCKET_PATH_MAX // 2:
        return Path(runtime_dir) / name
    return Path("/tmp") / name  # noqa: S108 - private, and its owner is checked before it is used


class Launcher:
    """Runs one cluster's server and passes on the wish to stop."""

    def __init__(self, cluster: Cluster, port: int) -> None:
        self._cluster = cluster
        self._port = port
        self._server: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Until the server ends; 0 when it was asked to."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        self._cluster.ensure()
        self._cluster.wait_until_left()
        if not is_free(self._port):
            raise ClusterError(f"port {self._port} is taken by {holder(self._port) or 'another process'}")
        if self._stopping:
            return 0
        self._server = self._cluster.start(self._port)
        if self._stopping:
            self._server.send_signal(signal.SIGINT)
        self._announce_when_ready(self._server)
        code = self._server.wait()
        return 0 if self._stopping else code or 1

    def _announce_when_ready(self, server: subprocess.Popen[bytes]) -> None:
        # No time limit: recovery after a crash may take minutes, and PostgreSQL reports on it in its log.
        while server.poll() is None and not self._stopping:
            if self._cluster.is_ready(server.pid):
                line = {"ready": True, "port": self._port, "socket_dir": str(self._cluster.sockets)}
                sys.stdout.write(json.dumps(line) + "\n")
                sys.stdout.flush()
                return
            time.sleep(_POLL_S)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._server is not None:
            # PostgreSQL's "fast" shutdown: ends every session, writes a checkpoint, leaves.
            self._server.send_signal(signal.SIGINT)


def main() -> int:
    """Run until told to stop; the exit code."""
    arguments = _parse()
    directory: Path = arguments.data_dir.resolve()
    sockets: Path = arguments.socket_dir
    if len(os.fsencode(sockets)) > _SOCKET_PATH_MAX:
        return _refuse(f"the socket directory's path is too long for a socket: {sockets}")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        user = server_user()
        cluster = Cluster(directory, sockets, runnable(installed(), user), user)
        with (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                return Launcher(cluster, arguments.port).run()
            finally:
                with contextlib.suppress(OSError):
                    sockets.rmdir()
    except BlockingIOError:
        return _refuse(f"another PostgreSQL uses the data directory {directory}")
    except (ClusterError, OSError) as unusable:
        return _refuse(str(unusable))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localcloud.postgres", description="The embedded PostgreSQL.")
    parser.add_argument("--data-dir", type=Path, required=True, help="where the cluster is kept")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--socket-dir", type=Path, required=True, help="a short path for the Unix socket")
    return parser.parse_args()


def _refuse(reason: str) -> int:
    sys.stderr.write(f"localcloud.postgres cannot start: {reason}\n")
    return _CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
