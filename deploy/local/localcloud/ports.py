"""Which TCP ports a system uses: names into free loopback ports, remembered in the data directory.

A port that is still free is kept, so addresses stay the same from one start to the next.
"""

import contextlib
import json
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"
# Below the range from which Linux and macOS hand out ports to outgoing connections: a port of ours can then
# not be taken by somebody's client while the process behind it restarts.
_FIRST, _LAST = 20_000, 32_000
_BLOCK = 16


def is_free(port: int) -> bool:
    """True when a server could listen on ``port`` of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Connections of a server that has just stopped linger in TIME_WAIT; they do not stop a new one.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def assign(names: Iterable[str], book: Path, reserved: int) -> dict[str, int]:
    """A port for every name: the one in ``book`` while it is free, else a new one; ``book`` is brought up to date."""
    remembered = _read(book)
    assigned: dict[str, int] = {}
    # Neighbours from one block: two systems that start in the same moment then meet in one of hundreds of blocks,
    # not in any pair of their ports.
    block = secrets.choice(range(_FIRST, _LAST, _BLOCK))
    for name in names:
        port = remembered.get(name, reserved)
        if port == reserved or port in assigned.values() or not is_free(port):
            port = _next_free(block, {reserved, *assigned.values(), *remembered.values()})
        assigned[name] = port
    book.write_text(json.dumps(assigned, indent=2) + "\n")
    return assigned


def holder(port: int) -> str | None:
    """Who listens on ``port``, ``python3 (pid 123)``, or None when that cannot be seen."""
    # Another user's sockets are not ours to look at; the message then does without a name.
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return None


def _next_free(start: int, taken: set[int]) -> int:
    for candidate in (*range(start, _LAST), *range(_FIRST, start)):
        if candidate not in taken and is_free(candidate):
            return candidate
    raise RuntimeError(f"no free port between {_FIRST} and {_LAST}")


def _read(book: Path) -> dict[str, int]:
    try:
        remembered = json.loads(book.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): int(port) for name, port in remembered.items()} if isinstance(remembered, dict) else {}
