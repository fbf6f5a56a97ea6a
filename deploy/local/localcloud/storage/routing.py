"""A request's method and undecoded path into the handler and its path parameters. Object names are one
segment with every slash encoded, which a router over decoded paths cannot tell apart."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.fields import parse_fields
from localcloud.storage.names import decode_segment
from localcloud.storage.object_rows import ObjectKey
from localcloud.storage.preconditions import Preconditions, whole_number
from localcloud.storage.resources import Resources

_MAX_JSON_BYTES = 1024 * 1024


class Call:
    """One request with what its path names."""

    def __init__(self, request: Request, path: dict[str, str]) -> None:
        self.request = request
        self.path = path

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters, decoded; of a repeated one the last."""
        return dict(self.request.query_params)

    @cached_property
    def headers(self) -> dict[str, str]:
        """Header values by lower-case name; UTF-8 where it is, Latin-1 elsewhere."""
        return {name.decode("latin-1"): _header_text(value) for name, value in self.request.headers.raw}

    @property
    def bucket(self) -> str:
        """The bucket of the path."""
        return self.path["bucket"]

    @property
    def name(self) -> str:
        """The object of the path."""
        return self.path["object"]

    @property
    def key(self) -> ObjectKey:
        """The object of the path, with ``generation`` where the query has one."""
        return ObjectKey(self.bucket, self.name, whole_number(self.query.get("generation"), "generation"))

    @property
    def conditions(self) -> Preconditions:
        """The conditions of the query."""
        return Preconditions.from_query(self.query)

    @property
    def base(self) -> str:
        """The scheme and host the client used."""
        return f"{self.request.url.scheme}://{self.headers.get('host', '127.0.0.1')}"

    @property
    def resources(self) -> Resources:
        """Renders resources with links under the address the client used."""
        return Resources(self.base)

    @property
    def raw_path(self) -> bytes:
        """The path as sent."""
        return cast(bytes, self.request.scope["raw_path"])

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object, {} when empty; 400 when it is something else, 413 above 1 MiB."""
        body = bytearray()
        async for chunk in self.request.stream():
            body += chunk
            if len(body) > _MAX_JSON_BYTES:
                raise StorageError(413, "uploadTooLarge", "The metadata of the request is too large.")
        try:
            value = json.loads(body or b"{}")
        except ValueError:
            raise StorageError(400, "parseError", "Parse Error: the body is not JSON.") from None
        if not isinstance(value, dict):
            raise invalid("The body must be a JSON object.")
        return cast(dict[str, Any], value)

    def reply(self, resource: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """The resource as JSON, cut down to ``fields`` where the query has them."""
        fields = self.query.get("fields")
        return JSONResponse(parse_fields(fields).apply(resource) if fields else resource, status, headers)


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """`method` on `template`, in which ``{name}`` stands for one undecoded path segment."""

    method: str
    template: str
    handler: Handler


class Router:
    """Finds routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(_pattern(route.template), route) for route in routes]

    def find(self, method: str, raw_path: bytes) -> tuple[Handler, dict[str, str]] | None:
        """The handler and the decoded parameters; None when no template fits, 405 when only the method does not."""
        wanted = "GET" if method == "HEAD" else method
        fits = False
        for pattern, route in self._routes:
            match = pattern.fullmatch(raw_path)
            if match is None:
                continue
            fits = True
            if route.method == wanted:
                return route.handler, {key: decode_segment(part) for key, part in match.groupdict().items()}
        if fits:
            raise StorageError(405, "methodNotAllowed", f"{method} is not allowed here.")
        return None


def _pattern(template: str) -> re.Pattern[bytes]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template).encode())


def _header_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
