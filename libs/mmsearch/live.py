"""Server-sent events into messages: what changed of the caller's uploads, as it happens, over broken connections."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from mmsearch.patience import AWAY, Patience, Pause, retry_after_s

SILENT_S = 60.0
"""The server sends a heartbeat every 15 s; a stream silent for longer is dead."""


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


def follow(http: httpx2.Client, path: str, pause: Pause) -> Iterator[Message | httpx2.Response]:
    """Messages without end; resumes where a stream broke off. A refusal is yielded as the response, once, at last.

    A system that is away is waited for, with new patience after each message; then its refusal is yielded, or the last
    ``httpx2.TransportError`` raised.
    """
    last_id: str | None = None
    patience = Patience()
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        try:
            with http.stream("GET", path, headers=headers, timeout=httpx2.Timeout(SILENT_S, connect=5.0)) as answer:
                if answer.is_success:
                    for message in messages(answer.iter_lines()):
                        last_id, patience = message.id or last_id, Patience()
                        yield message
                    raise httpx2.RemoteProtocolError("the stream ended")
                answer.read()
            pause_s = patience.pause_s(retry_after_s(answer)) if answer.status_code in AWAY else None
            if pause_s is None:
                yield answer
                return
        except httpx2.TransportError:
            pause_s = patience.pause_s(None)
            if pause_s is None:
                raise
        pause(pause_s)
