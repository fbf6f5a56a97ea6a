"""Local HTTP servers of the test process: one function says what each request is answered with, and how badly."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO, Self


@dataclass
class Reply:
    """What the server sends back for one request: after ``delay_s``, byte by byte with ``drip_s`` between them, ``cut``
    bytes missing at its end.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    drip_s: float = 0
    cut: int = 0


@dataclass
class Request:
    """``target`` is the path with its query; names of ``headers`` are found in any case; ``left`` bytes are unread."""

    method: str
    target: str
    headers: Message
    stream: BinaryIO
    left: int

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @cached_property
    def body(self) -> bytes:
        return self.read(self.left)

    def read(self, most: int) -> bytes:
        """The next bytes of the body, for those who do not want it whole."""
        data = self.stream.read(min(most, self.left))
        self.left -= len(data)
        return data


_MOST_SKIPPED = 64 * 1024
"""Bytes of a body that nobody asked for; after a longer one the connection is closed."""

Answer = Callable[[Request], Reply | None]
"""None: the connection breaks off without an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: Answer

    def do_request(self) -> None:
        length = int(self.headers.get("content-length", 0))
        request = Request(self.command, self.path, self.headers, self.rfile, length)
        reply = type(self).answer(request)
        if request.left <= _MOST_SKIPPED:
            request.read(request.left)  # or the connection could not be used again
        if reply is not None:
            self._send(reply)
        self.close_connection |= reply is None or reply.cut > 0 or request.left > 0

    do_GET = do_POST = do_PUT = do_DELETE = do_request  # noqa: N815 - names http.server calls

    def _send(self, reply: Reply) -> None:
        time.sleep(reply.delay_s)
        self.send_response(reply.status)
        headers = {"content-type": "application/json", "content-length": str(len(reply.body))}
        headers |= {name.lower(): value for name, value in reply.headers.items()}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        sent = reply.body[: len(reply.body) - reply.cut]
        for piece in (sent[i : i + 1] for i in range(len(sent))) if reply.drip_s else (sent,):
            self.wfile.write(piece)
            time.sleep(reply.drip_s)

    def log_message(self, *args: object) -> None:
        """Keeps the test output clean."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # a client that lost its patience is no error
            self.close_connection = True


class WireServer:
    """Has its port of loopback from the beginning, and answers from its start to its stop, or while it is entered."""

    def __init__(self, answer: Answer) -> None:
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"answer": staticmethod(answer)})
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
