"""The service's application, asked in process: what a search takes from request to answer, its encoder apart."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi import FastAPI

from contracts.artifacts import Service
from contracts.events import UserChangedV1
from contracts.events.user_changed_v1 import ApiKeyHash, UserStatus
from embeddings.encoder import Encoded, Encoder
from hosting.app import create_app
from identity.api_keys import hash_api_key, new_api_key
from search.authenticator import ProjectedAuthenticator
from search.cache import AnswerCache
from search.cut_offs import CutOff
from search.finder import Finder
from search.routes.searching import search_router
from search.store import principals
from tests.bench.search.filling import MODEL
from tests.bench.search.measuring import Bench, Selection

EVERYTHING = CutOff(-1.0, -1.0)


class Remembered(Encoder):
    """Knows the questions' vectors, so that encoding takes no time."""

    def __init__(self, bench: Bench) -> None:
        self._vectors = dict(zip(bench.questions, bench.vectors, strict=True))
        self._spoken = {" ".join(q.split()): v for q, v in self._vectors.items()}
        self._dimensions = bench.dimensions

    @property
    def model_id(self) -> str:
        """The model of the filled database."""
        return MODEL

    @property
    def dimensions(self) -> int:
        """Those of the filled database."""
        return self._dimensions

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Looks up."""
        return Encoded.free(np.stack([self._spoken[text] for text in texts]))


@dataclass(frozen=True)
class Load:
    """What a number of clients saw."""

    clients: int
    milliseconds: Sequence[float]
    sql_milliseconds: float
    statements: float
    per_second: float

    def percentile(self, percent: float) -> float:
        """Of a request's milliseconds."""
        return float(np.percentile(self.milliseconds, percent))


async def measured(bench: Bench, user_id: str, selection: Selection, clients: int, rounds: int, mode: str) -> Load:
    """Every question ``rounds`` times, by so many clients at once; nothing is answered from the cache."""
    finder = Finder(bench.database, Remembered(bench), cut_off=EVERYTHING, cache=AnswerCache(most_results=0))
    app = create_app(Service.SEARCH, routers=[search_router(finder)])
    app.state.authenticator = ProjectedAuthenticator(bench.database)
    key = await _key(bench, user_id)
    bodies = [json.dumps(_body(question, selection, mode)).encode() for question in bench.questions] * rounds
    for body in bodies[:5]:
        await _post(app, key, body)
    bench.clock.take()
    times: list[float] = []
    waiting = iter(bodies)

    async def client() -> None:
        for body in waiting:
            started = time.perf_counter()
            await _post(app, key, body)
            times.append((time.perf_counter() - started) * 1000)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - started
    sql, statements = bench.clock.take()
    return Load(clients, times, sql / len(bodies), statements / len(bodies), len(bodies) / took)


def _body(question: str, selection: Selection, mode: str) -> dict[str, Any]:
    body: dict[str, Any] = {"query": question, "mode": mode}
    if selection.filters.created_from is not None:
        body["date_from"] = selection.filters.created_from.isoformat()
    return body


async def _key(bench: Bench, user_id: str) -> str:
    key = new_api_key()
    hashed = ApiKeyHash(key_id="bench", sha256=hash_api_key(key))
    version = time.time_ns()
    changed = UserChangedV1(user_id=user_id, version=version, status=UserStatus.ACTIVE, tier="free", api_keys=(hashed,))
    async with bench.database.transaction() as session:
        await principals.write(session, changed)
    return key


async def _post(app: FastAPI, key: str, body: bytes) -> bytes:
    """One request through the application and its middleware, as a server would hand it over."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/search",
        "raw_path": b"/api/v1/search",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"x-api-key", key.encode()), (b"content-type", b"application/json"), (b"host", b"bench")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    await app(scope, receive, send)  # pyright: ignore[reportArgumentType]
    if answered[0]["status"] != 200:
        raise RuntimeError(f"{answered[0]['status']}: {answered[1].get('body')!r}")
    return b"".join(message.get("body", b"") for message in answered[1:])
