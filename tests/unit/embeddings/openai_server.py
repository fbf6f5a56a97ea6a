"""A local HTTP server that speaks the wire format of OpenAI's embeddings API, good and bad."""

import base64
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

DIMENSIONS = 256


@dataclass
class Reply:
    """What the server sends back for one request; ``delay_s`` before it, ``cut`` bytes missing at its end."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    cut: int = 0


@dataclass
class EmbeddingsServer:
    """``requests`` are the JSON bodies received; ``reply`` may be replaced to misbehave."""

    url: str = ""
    requests: list[dict] = field(default_factory=list)
    authorization: str = ""
    reply: Callable[[dict], Reply] = lambda request: Reply(body=good_answer(request))


def good_answer(request: dict) -> bytes:
    """A vector per input that only depends on the input's words; base64 when the client asks for it."""
    items = [_item(i, text, request) for i, text in enumerate(request["input"])]
    items.reverse()  # the order of the list is not promised, the index is
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return json.dumps({"object": "list", "data": items, "model": request["model"], "usage": usage}).encode()


def _item(index: int, text: str, request: dict) -> dict:
    vector = np.zeros(request["dimensions"], np.float32)
    for word in text.lower().split() or ["-"]:
        vector[zlib.crc32(word.encode()) % len(vector)] += 1
    coded = (
        base64.b64encode(vector.tobytes()).decode() if request.get("encoding_format") == "base64" else vector.tolist()
    )
    return {"object": "embedding", "index": index, "embedding": coded}


@contextmanager
def embeddings_server() -> Iterator[EmbeddingsServer]:
    """Serves on a free port until the block ends."""
    state = EmbeddingsServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.requests.append(request)
            state.authorization = self.headers["authorization"]
            reply = state.reply(request)
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

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
