"""A local HTTP server that speaks the wire format of the Gemini API, good and bad, and its Files API."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """What the server sends back for one request; ``delay_s`` before it, ``cut`` bytes missing at its end."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    cut: int = 0


@dataclass
class GeminiServer:
    """``requests`` are what generateContent was sent; ``replies`` are used up one a request, the last stays."""

    url: str = ""
    requests: list[dict] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    uploaded: list[bytes] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    replies: list[Reply | Callable[[dict], Reply]] = field(default_factory=lambda: [Reply(body=answer(WHOLE))])

    def next_reply(self, request: dict) -> Reply:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(request) if callable(reply) else reply


WHOLE = {
    "title": "A red door",
    "summary": "A red door in a white wall. It is closed.",
    "labels": ["Door", "red"],
    "language": "en",
    "pictures": [],
    "moderation": {"flagged": False, "categories": []},
}


def whole(**changes: object) -> dict:
    """A good answer about a file, changed."""
    return WHOLE | changes


def answer(said: object, finish: str = "STOP", usage: object = None, **candidate: object) -> bytes:
    """The envelope around what the model said; ``said`` is its text, or an object for its JSON."""
    text = said if isinstance(said, str) else json.dumps(said)
    content = {"role": "model", "parts": [{"text": text}]}
    counted = usage or {"promptTokenCount": 1000, "candidatesTokenCount": 100, "thoughtsTokenCount": 20}
    candidates = [{"content": content, "finishReason": finish, "index": 0} | candidate]
    return json.dumps({"candidates": candidates, "usageMetadata": counted, "modelVersion": "m"}).encode()


def refusal(status: int, reason: str = "", details: list[dict] | None = None, **headers: str) -> Reply:
    """An error as Google's APIs write it."""
    error = {"code": status, "message": "no", "status": reason, "details": details or []}
    return Reply(status, json.dumps({"error": error}).encode(), {k.replace("_", "-"): v for k, v in headers.items()})


def camel(value: object) -> object:
    """The API takes both spellings of a name; the SDK sends both."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if isinstance(value, dict):
        return {re.sub(r"(?<=[a-z])_([a-z])", lambda m: m[1].upper(), name): camel(v) for name, v in value.items()}
    return value


def words_of(request: dict) -> str:
    """Every text part of the user's message."""
    return "\n".join(part["text"] for part in request["contents"][0]["parts"] if "text" in part)


@contextmanager
def gemini_server() -> Iterator[GeminiServer]:
    """Serves on a free port until the block ends."""
    state = GeminiServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            state.paths.append(self.path)
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            if self.path.startswith("/upload-session"):
                state.uploaded.append(body)
                named = {"file": {"name": "files/abc", "uri": f"{state.url}/v1beta/files/abc", "mimeType": "image/png"}}
                status = "final" if "finalize" in self.headers["x-goog-upload-command"] else "active"
                self._send(Reply(body=json.dumps(named).encode(), headers={"x-goog-upload-status": status}))
            elif self.path.startswith("/upload/"):
                self._send(Reply(body=b"{}", headers={"x-goog-upload-url": f"{state.url}/upload-session"}))
            else:
                request = camel(json.loads(body))
                state.requests.append(request)
                self._send(state.next_reply(request))

        def do_DELETE(self) -> None:
            state.deleted.append(self.path)
            self._send(Reply(body=b"{}"))

        def _send(self, reply: Reply) -> None:
            time.sleep(reply.delay_s)
            self.send_response(reply.status)
            self.send_header("content-type", "application/json")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("connection", "close")
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) - reply.cut])

        def log_message(self, *args: object) -> None:
            """Keeps the test output clean."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # the client lost its patience
                self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
