"""A local HTTP server that speaks the wire format of the Gemini API, good and bad, and its Files API."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.wire_server import Reply, Request, WireServer


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

    def reply_to(request: Request) -> Reply:
        if request.method == "DELETE":
            state.deleted.append(request.target)
            return Reply(body=b"{}")
        state.paths.append(request.target)
        state.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.path.startswith("/upload-session"):
            state.uploaded.append(request.body)
            named = {"file": {"name": "files/abc", "uri": f"{state.url}/v1beta/files/abc", "mimeType": "image/png"}}
            status = "final" if "finalize" in request.headers["x-goog-upload-command"] else "active"
            return Reply(body=json.dumps(named).encode(), headers={"x-goog-upload-status": status})
        if request.path.startswith("/upload/"):
            return Reply(body=b"{}", headers={"x-goog-upload-url": f"{state.url}/upload-session"})
        asked = camel(json.loads(request.body))
        state.requests.append(asked)
        return state.next_reply(asked)

    with WireServer(reply_to) as server:
        state.url = server.url
        yield state
