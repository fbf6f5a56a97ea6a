"""A small HTTP server that answers as the API does, and remembers what it was asked."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
UPLOAD_ID = "upl_" + "a" * 26


@dataclass
class Asked:
    """One request; bodies are kept as their size, hash and first bytes."""

    method: str
    path: str
    headers: dict[str, str]
    size: int
    sha256: str
    start: bytes


@dataclass
class Api:
    """What to answer: ``answers`` by method and path, each a list whose last one stays."""

    url: str = ""
    answers: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def will_answer(self, request: str, data: Any, meta: dict[str, Any] | None = None) -> None:
        body = {"status": "success", "data": data, "error": None, "meta": meta or {}, "trace_id": TRACE}
        self.answers.setdefault(request, []).append((200, json.dumps(body).encode()))

    def will_say(self, request: str, status: int, body: Any) -> None:
        """Outside of an envelope."""
        self.answers.setdefault(request, []).append((status, json.dumps(body).encode()))

    def will_refuse(
        self, request: str, status: int, code: str, message: str, details: dict[str, Any] | None = None, **headers: str
    ) -> None:
        self.headers[request] = {name.replace("_", "-"): value for name, value in headers.items()}
        error = {"code": code, "message": message, "details": details or {"a": 1}}
        body = {"status": "error", "data": None, "error": error, "meta": {}, "trace_id": TRACE}
        self.answers.setdefault(request, []).append((status, json.dumps(body).encode()))


@contextmanager
def serving() -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            api.asked.append(self.read_request())
            path = self.path.partition("?")[0]
            answers = api.answers[f"{self.command} {path}"]
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in api.headers.get(f"{self.command} {path}", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - names http.server calls

        def read_request(self) -> Asked:
            left, digest, start = int(self.headers.get("Content-Length", 0)), hashlib.sha256(), b""
            size = left
            while left:
                data = self.rfile.read(min(left, 65536))
                start, left = start or data, left - len(data)
                digest.update(data)
            return Asked(self.command, self.path, dict(self.headers.items()), size, digest.hexdigest(), start)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
