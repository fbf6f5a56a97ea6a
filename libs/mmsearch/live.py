"""Server-sent events into messages: what changed of the caller's uploads, as it happens, over broken connections."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

SILENT_S = 60.0
"""The server sends a heartbeat every 15 s; a stream silent for longer is dead."""

_PATIENCE_S = 30.0


@dataclass
class Message:
    """One event of the stream."""

    event: str = "message"
    id: str | None = None
    data: Any = None


@dataclass
class _Lines:
    event: str = "message"
    id: str | None = None
    data: list[str] = field(default_factory=list[str])


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """As the standard reads a stream: fields until an empty line; a message without data is none."""
    read = _Lines()
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if read.data:
                yield Message(read.event, read.id, json.loads("\n".join(read.data)))
            read = _Lines(id=read.id)
        elif name == "event":
            read.event = value
        elif name == "id":
            read.id = value
        elif name == "data":
            read.data.append(value)


def follow(http: httpx2.Client, path: str) -> Iterator[Message | httpx2.Response]:
    """Messages without end; resumes where a stream broke off. A refusal is yielded as the response, once, at last.

    Raises the last ``httpx2.TransportError`` when nobody answered for half a minute.
    """
    last_id: str | None = None
    silent_since = time.monotonic()
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        try:
            with http.stream("GET", path, headers=headers, timeout=httpx2.Timeout(SILENT_S, connect=5.0)) as answer:
                if not answer.is_success:
                    answer.read()
                    yield answer
                    return
                for message in messages(answer.iter_lines()):
                    last_id, silent_since = message.id or last_id, time.monotonic()
                    yield message
        except httpx2.TransportError:
            if time.monotonic() - silent_since > _PATIENCE_S:
                raise
        time.sleep(0.5)
