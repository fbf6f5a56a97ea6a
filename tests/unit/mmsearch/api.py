"""A small HTTP server that answers as the API does, and remembers what it was asked."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.wire_server import Reply, Request, WireServer

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

    def answer(request: Request) -> Reply:
        api.asked.append(_remembered(request))
        asked = f"{request.method} {request.path}"
        answers = api.answers[asked]
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        return Reply(status, body, api.headers.get(asked, {}))

    with WireServer(answer) as server:
        api.url = server.url
        yield api


def _remembered(request: Request) -> Asked:
    size, digest, start = request.left, hashlib.sha256(), b""
    while data := request.read(65536):
        start = start or data
        digest.update(data)
    return Asked(request.method, request.target, dict(request.headers.items()), size, digest.hexdigest(), start)
