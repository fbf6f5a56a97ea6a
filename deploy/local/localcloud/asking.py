"""Processes that run into what each says of itself when it is asked: a process that hangs says nothing."""

import json
import socket
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from localcloud.ports import LOOPBACK
from localcloud.state import ProcessReport

_ASK_S = 6
"""More than a service gives its own checks before it says what is down."""
_PATHS = {"storage": "/healthz", "router": "/health"}
_GREETINGS = {
    "postgres": struct.pack("!ii", 8, 80_877_103),  # whether it speaks TLS, which it answers before any password
    "pubsub": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)),  # how HTTP/2 begins
}
"""The beginning of a conversation with what does not speak HTTP/1: whoever is awake answers it."""


@dataclass(frozen=True)
class Word:
    """``notices``: what a process does without. ``troubles``: why it is not well."""

    name: str
    notices: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


def asked(processes: Sequence[ProcessReport]) -> list[Word]:
    """What each process with a port says, in their order; all are asked at the same time."""
    listening = [process for process in processes if process.port is not None]
    with ThreadPoolExecutor(max_workers=max(len(listening), 1)) as threads:
        return list(threads.map(_word, listening))


def _word(process: ProcessReport) -> Word:
    assert process.port is not None
    try:
        if process.name in _GREETINGS:
            _greet(process.port, _GREETINGS[process.name])
            return Word(process.name)
        said = _get(process.port, _PATHS.get(process.name, "/health/ready"))
    except (OSError, HTTPException):
        return Word(process.name, troubles=("does not answer",))
    down = tuple(f"{name} is down" for name in said.get("down", ()))
    return Word(process.name, tuple(said.get("notices", ())), down)


def _greet(port: int, greeting: bytes) -> None:
    with socket.create_connection((LOOPBACK, port), timeout=_ASK_S) as connection:
        connection.sendall(greeting)
        if not connection.recv(1):
            raise ConnectionResetError("it hung up")


def _get(port: int, path: str) -> dict[str, Any]:
    connection = HTTPConnection(LOOPBACK, port, timeout=_ASK_S)
    try:
        connection.request("GET", path)
        body = connection.getresponse().read()
    finally:
        connection.close()
    try:
        said = json.loads(body)
    except ValueError:  # it answers, which is all that is asked of those that are no service of ours
        return {}
    return said if isinstance(said, dict) else {}
