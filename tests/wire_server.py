"""Local HTTP servers that speak a provider's wire format: what one reply is, how it is sent, how long they live."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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


class WireHandler(BaseHTTPRequestHandler):
    """Sends replies; a client that lost its patience is no error."""

    protocol_version = "HTTP/1.1"

    def reply_to(self, body: bytes) -> Reply:
        """What a POST of this body to ``self.path`` is answered with."""
        return Reply(404)

    def do_POST(self) -> None:
        self._send(self.reply_to(self.rfile.read(int(self.headers.get("content-length", 0)))))

    def do_DELETE(self) -> None:
        self._send(self.deleted())

    def deleted(self) -> Reply:
        """What a DELETE of ``self.path`` is answered with."""
        return Reply(404)

    def _send(self, reply: Reply) -> None:
        time.sleep(reply.delay_s)
        self.send_response(reply.status)
        self.send_header("content-type", "application/json")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("connection", "close")
        self.send_header("content-length", str(len(reply.body)))
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
        except ConnectionError:
            self.close_connection = True


@contextmanager
def serving(handler: type[WireHandler]) -> Iterator[str]:
    """The address of a server on a free port, until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
