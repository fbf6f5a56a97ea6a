"""The web page: a handful of files, read once, served with a policy that lets nothing else in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hosting.answers import not_found

WEB = Path(__file__).parents[1] / "web"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str
    etag: str


def page_router(storage_origin: str) -> APIRouter:
    """``/`` and ``/web/…``. ``storage_origin`` is where signed URLs lead, like ``https://storage.googleapis.com``."""
    files = {path.name: _read(path) for path in WEB.iterdir() if path.suffix in _TYPES}
    headers = {
        "Content-Security-Policy": _policy(storage_origin),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def index(request: Request) -> Response:
        return _serve(files["index.html"], request, headers)

    @router.get("/web/{name}")
    async def asset(name: str, request: Request) -> Response:
        if name not in files:
            raise not_found("page")
        return _serve(files[name], request, headers)

    _ = (index, asset)
    return router


def _policy(storage_origin: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            f"img-src 'self' data: {storage_origin}",
            f"media-src {storage_origin}",
            f"frame-src {storage_origin}",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _read(path: Path) -> _File:
    content = path.read_bytes()
    return _File(content, _TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"')


def _serve(file: _File, request: Request, headers: dict[str, str]) -> Response:
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers | {"ETag": file.etag})
    return Response(file.content, media_type=file.media_type, headers=headers | {"ETag": file.etag})
