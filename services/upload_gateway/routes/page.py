"""The web page: files read once, compressed, addressed by version, served with a policy that lets nothing else in."""

import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hosting.answers import not_found

WEB = Path(__file__).parents[1] / "web"
_ENTRY = "main.js"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATIC_IMPORT = re.compile(r'^(?:import|export)\s[^;]*?"(\.{1,2}/[\w./-]+)";', re.MULTILINE)
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class PageFile:
    """One file as it is sent."""

    content: bytes
    compressed: bytes
    media_type: str

    @classmethod
    def of(cls, content: bytes, suffix: str) -> "PageFile":
        """A file of some content."""
        return cls(content, gzip.compress(content, 9, mtime=0), _TYPES[suffix])


@dataclass(frozen=True)
class Site:
    """``index`` and what it refers to, all below ``/web/<version>/``: whoever has a version never asks for it again."""

    index: PageFile
    files: Mapping[str, PageFile]
    version: str

    @classmethod
    def read(cls, directory: Path = WEB) -> "Site":
        """Every servable file below a directory."""
        paths = sorted(path for path in directory.rglob("*") if path.suffix in _TYPES)
        contents = {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}
        version = sha256(b"\0".join(contents.values())).hexdigest()[:16]
        modules = [f'<link rel="modulepreload" href="/web/{name}">' for name in _needed_at_once(contents)]
        index = contents.pop("index.html").decode().replace("<!-- modules -->", "\n  ".join(modules))
        rendered = index.replace('"/web/', f'"/web/{version}/').encode()
        files = {name: PageFile.of(content, Path(name).suffix) for name, content in contents.items()}
        return cls(PageFile.of(rendered, ".html"), files, version)


def page_router(
    storage_origin: str, sign_in_origins: Sequence[str] = (), picture_origins: Sequence[str] = ()
) -> APIRouter:
    """``/`` and ``/web/…``.

    ``storage_origin`` is where signed URLs and upload sessions lead, like ``https://storage.googleapis.com``;
    ``sign_in_origins`` are those of the identity provider's endpoints that the page itself calls, ``picture_origins``
    serve thumbnails.
    """
    site = Site.read()
    headers = {
        "Content-Security-Policy": policy(storage_origin, sign_in_origins, picture_origins),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Vary": "Accept-Encoding",
    }
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def index(request: Request) -> Response:
        return _serve(site.index, request, headers | {"ETag": f'"{site.version}"', "Cache-Control": "no-cache"})

    @router.get("/web/{version}/{name:path}")
    async def asset(version: str, name: str, request: Request) -> Response:
        if name not in site.files:
            raise not_found("page")
        # Another version is asked for while a release rolls out: ours will do, but is not to be kept under that name.
        kept = _FOR_EVER if version == site.version else "no-cache"
        return _serve(site.files[name], request, headers | {"ETag": f'"{site.version}"', "Cache-Control": kept})

    _ = (index, asset)
    return router


def policy(storage_origin: str, sign_in_origins: Sequence[str] = (), picture_origins: Sequence[str] = ()) -> str:
    """What the page may load, run and talk to. With Trusted Types no text becomes markup, whatever the code does."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("connect-src 'self'", storage_origin, *sign_in_origins)),
            " ".join(("img-src 'self' data: blob:", storage_origin, *picture_origins)),
            f"media-src {storage_origin}",
            f"frame-src {storage_origin}",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _needed_at_once(contents: Mapping[str, bytes]) -> list[str]:
    """The modules the first view needs, so that the browser asks for all of them in one go."""
    needed, waiting = list[str](), [_ENTRY]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.append(name)
            waiting += [_resolved(name, other) for other in _STATIC_IMPORT.findall(contents[name].decode())]
    return needed


def _resolved(name: str, reference: str) -> str:
    parts = name.split("/")[:-1]
    for part in reference.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _serve(file: PageFile, request: Request, headers: dict[str, str]) -> Response:
    if request.headers.get("if-none-match", "").removeprefix("W/") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(file.content, media_type=file.media_type, headers=headers)
    encoded = {"Content-Encoding": "gzip", "ETag": f"W/{headers['ETag']}"}
    return Response(file.compressed, media_type=file.media_type, headers=headers | encoded)
