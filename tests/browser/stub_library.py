"""The page before a library that is only made up: ten thousand files at once, slow answers, somebody else's sign-in."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from PIL import Image

from tests.ports import free_port
from upload_gateway.routes.page import page_router

FILES = 10_000
STARTED = "2026-11-21T09:30:00Z"
_KINDS = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/wav", "document": "application/pdf"}


class StubLibrary:
    """``slow`` are seconds that searches for a query take; ``asked`` counts requests by path.
    ``wishes`` are the searches as they were asked for.

    ``originals`` are the files that are there to be opened, by upload; links below ``oldest_link`` are over;
    ``moment`` is what is found in every file, except for queries that find ``nothing``; if it ``narrows``,
    a search for some kinds finds and counts only those.
    ``failed`` are the files that could not be read.
    ``texts`` are the files' texts, by upload: the parts of each page of them.
    What is added to ``events`` is told live, as soon as somebody listens; ``told`` says how many have been.
    """

    def __init__(self, files: int = FILES) -> None:
        self.files = files
        self.slow: dict[str, float] = {}
        self.asked: list[str] = []
        self.originals: dict[str, Path] = {}
        self.texts: dict[str, list[list[dict[str, Any]]]] = {}
        self.changed: dict[str, dict[str, Any]] = {}
        self.failed: list[dict[str, Any]] = []
        self.moment: dict[str, Any] | None = None
        self.nothing: set[str] = set()
        self.degraded = False
        self.narrows = False
        self.wishes: list[dict[str, Any]] = []
        self.links = 0
        self.oldest_link = 0
        self.events: list[dict[str, Any]] = []
        self.told = 0
        self.port = free_port()
        self.app = self._application()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["StubLibrary"]:
        """Serves from a thread."""
        server = uvicorn.Server(
            uvicorn.Config(self.app, port=self.port, log_level="error", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield self
        finally:
            server.should_exit = True
            thread.join()

    def _application(self) -> FastAPI:
        app = FastAPI()
        app.include_router(page_router(self.url))
        root = "/api/v1"
        routes: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/auth/config": _answering({"local": True}),
            "/auth/local": _answering({"token": "local", "expires_in": 3600}),
            "/users/me": _answering({"user_id": "local-user"}),
            "/users/me/preferences": _answering({}),
            "/stats/me": _answering({"uploads_by_type": dict.fromkeys(_KINDS, self.files // 4)}),
            "/search/history": _answering([]),
            "/uploads": self._uploads,
            "/search": self._search,
            "/events": self._live,
            "/file/{upload_id}/thumbnail": self._thumbnail_url,
            "/file/{upload_id}/download": self._original_url,
            "/file/{upload_id}/metadata": self._metadata,
            "/file/{upload_id}/text": self._text,
        }
        for path, answer in routes.items():
            app.add_api_route(root + path, answer, methods=["GET", "POST"], response_model=None)
        app.add_api_route("/picture/{number}.jpg", _picture)
        app.add_api_route("/original/{upload_id}", self._original, response_model=None)
        return app

    async def _uploads(self, request: Request) -> Response:
        self.asked.append(str(request.url))
        if status := request.query_params.get("status"):
            failed = self.failed if status == "failed" else []
            return _envelope(failed, total=len(failed))
        offset, limit = (int(request.query_params.get(name, 0)) for name in ("offset", "limit"))
        return _envelope([self.file(n) for n in range(offset, min(offset + limit, self.files))], total=self.files)

    async def _search(self, request: Request) -> Response:
        wish = await request.json()
        self.asked.append(wish["query"])
        self.wishes.append(wish)
        await asyncio.sleep(self.slow.get(wish["query"], 0))
        total = 0 if wish["query"] in self.nothing else self.files
        kinds = wish.get("file_types", _KINDS) if self.narrows else _KINDS
        total = total * len(kinds) // len(_KINDS)
        numbers = range(wish["offset"], min(wish["offset"] + wish["limit"], total))
        moment = self.moment or {
            "text": f"What {wish['query']} looks like",
            "highlights": [[5, 5 + len(wish["query"])]],
            "page": 3,
        }
        results = [{**self.file(n), "status": "complete", "moments": [moment]} for n in numbers]
        facets = {"file_types": dict.fromkeys(kinds, self.files // 4), "months": {"2026-11": self.files}}
        found = {"results": results, "facets": facets, "total": total, "processing": 0, "degraded": self.degraded}
        return _envelope({**found, "search_id": "0"}, total=total)

    async def _thumbnail_url(self, upload_id: str) -> Response:
        return _envelope({"url": f"{self.url}/picture/{int(upload_id[4:]) % 7}.jpg"})

    async def _original_url(self, upload_id: str) -> Response:
        self.links += 1
        return _envelope({"url": f"{self.url}/original/{upload_id}?link={self.links}"})

    async def _original(self, upload_id: str, link: int) -> Response:
        self.asked.append(f"/original/{upload_id}?link={link}")
        if link < self.oldest_link:
            return Response("<Error><Code>ExpiredToken</Code></Error>", 400, media_type="application/xml")
        if upload_id not in self.originals:
            return Response(status_code=404)
        return FileResponse(self.originals[upload_id])

    async def _metadata(self, upload_id: str) -> Response:
        return _envelope(self.file(int(upload_id[4:])))

    async def _text(self, upload_id: str, after: int) -> Response:
        self.asked.append(f"/text/{upload_id}?after={after}")
        pages = self.texts.get(upload_id, [[]])
        place = {"source": "text", "page": None, "section": None, "start_s": None, "end_s": None, "continues": False}
        parts = [{**place, **part} for part in pages[after + 1]]
        return _envelope({"parts": parts, "next": after + 1 if after + 2 < len(pages) else None})

    async def _live(self, request: Request) -> Response:
        async def events() -> AsyncGenerator[str]:
            yield 'event: hello\ndata: {"id": "1", "resumed": false}\n\n'
            while not await request.is_disconnected():
                for event in self.events[self.told :]:
                    self.told += 1
                    yield f"event: upload\ndata: {json.dumps(event)}\n\n"
                await asyncio.sleep(0.05)

        return StreamingResponse(events(), media_type="text/event-stream")

    def file(self, number: int, **changes: Any) -> dict[str, Any]:
        """What lists and events say of one of the files."""
        upload_id = f"upl_{number}"
        kind = list(_KINDS)[number % len(_KINDS)]
        return {
            "upload_id": upload_id,
            "filename": f"file {number:05}.jpg",
            "file_type": kind,
            "media_type": _KINDS[kind],
            "size_bytes": 1000 + number,
            "status": "completed",
            "stage": "done",
            "progress": 100,
            "thumbnail_url": f"/api/v1/file/{upload_id}/thumbnail",
            "created_at": STARTED,
            "updated_at": STARTED,
            **self.changed.get(upload_id, {}),
            **changes,
        }


def _answering(data: Any) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return _envelope(data)

    return answer


def _envelope(data: Any, **meta: Any) -> Response:
    return JSONResponse({"status": "success", "data": data, "error": None, "meta": meta})


async def _picture(number: int) -> Response:
    return Response(_painted(number), media_type="image/jpeg")


@cache
def _painted(number: int) -> bytes:
    content = BytesIO()
    Image.new("RGB", (300, 200), (40 + 25 * number, 120, 200 - 20 * number)).save(content, "JPEG")
    return content.getvalue()
