"""A local HTTP server that speaks the wire format of OpenAI's embeddings API, good and bad."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from tests.wire_server import Reply, Request, WireServer

DIMENSIONS = 256


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

    def answer(request: Request) -> Reply:
        asked = json.loads(request.body)
        state.requests.append(asked)
        state.authorization = request.headers["authorization"]
        return state.reply(asked)

    with WireServer(answer) as server:
        state.url = f"{server.url}/v1"
        yield state
