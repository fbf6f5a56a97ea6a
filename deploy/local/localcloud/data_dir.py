"""A path into the one place where a system keeps everything: data, logs, secrets, its lock and its env file."""

import fcntl
import os
import secrets
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import IO

_LOCK_ATTEMPTS, _LOCK_PAUSE_S = 5, 0.05


class AlreadyRunningError(Exception):
    """Another system holds this data directory; ``pid`` is its supervisor's."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"{path} is in use by a running system" + (f" (pid {pid})" if pid else ""))
        self.pid = pid


class DataDir:
    """A data directory, created private (0700) when it is not there; what processes keep in it is private always."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.path / "logs"

    @property
    def env(self) -> Path:
        """``export NAME=value`` lines; there only while the system is ready."""
        return self.path / "env"

    @property
    def state(self) -> Path:
        """What the supervisor says of its processes, JSON."""
        return self.path / "state.json"

    @property
    def ports(self) -> Path:
        """The ports chosen at the first start."""
        return self.path / "ports.json"

    def of(self, process: str) -> Path:
        """The directory one process keeps its data in, created when absent, and its owner's alone in any case.

        A restored one has whatever mode it was copied with. The data directory itself may be one the user has for other
        things too: its mode stays theirs.
        """
        directory = self.path / process
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & 0o077:
            directory.chmod(0o700)
        return directory

    def secret(self, name: str, prefix: str = "") -> str:
        """The secret of that name: ``prefix`` and 43 URL-safe characters, generated at first use, mode 0600."""
        return ensure_secret(self.of("secrets") / name, prefix)

    def write_env(self, variables: Mapping[str, str]) -> None:
        """Writes the env file at once and private."""
        lines = [f"export {name}={quote(value)}\n" for name, value in variables.items()]
        write_private(self.env, "".join(lines))

    def remove_env(self) -> None:
        """Takes the env file away; the system is not ready any more."""
        self.env.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Generator[None, None, None]:
        """Holds the directory for this process; raises :class:`AlreadyRunningError` when another one does."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path / "lock").open("a+") as lock:
            if not _take(lock):
                raise AlreadyRunningError(self.path, _pid_in(self.path / "lock"))
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def running_pid(self) -> int | None:
        """The supervisor's pid while a system runs in this directory, else None."""
        try:
            with (self.path / "lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return _pid_in(self.path / "lock")
        return None


def ensure_secret(path: Path, prefix: str = "") -> str:
    """The secret in ``path``, generated and stored with mode 0600 when the file is not there."""
    if not path.exists():
        write_private(path, prefix + secrets.token_urlsafe(32))
    return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Replaces ``path`` at once by a file only its owner may read."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _take(lock: IO[str]) -> bool:
    """Tries for a moment: who only looks whether a system runs (:meth:`DataDir.running_pid`) is soon gone."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return True
    return False


def _pid_in(lock: Path) -> int | None:
    text = lock.read_text().strip()
    return int(text) if text.isdigit() else None
