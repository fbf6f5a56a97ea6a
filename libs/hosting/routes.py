"""Turns a request into the call of its route, straight away where the route makes its response itself.

FastAPI walks the parameters of every dependency at every request, for 20 µs apiece, and takes a model of a query
apart field by field, for 100 (docs/decisions/0027). It still reads the declarations, and calls all other routes. It
reads a body before anything else and as long as it is; here it is bounded, and who asks is found out first.
"""

import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence, Set
from copy import copy
from inspect import isclass, iscoroutinefunction, signature
from typing import Any, cast, get_args, get_origin

from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, APIRouter
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 * 1024
"""Of a request, unless its route declares another ``max_body_size``."""
STREAMED = sys.maxsize
"""The ``max_body_size`` of a route that takes its body in pieces, keeps none, and bounds it itself."""

Values = dict[str, Any]
Found = dict[Callable[..., Any], Any]
"""What the dependencies of one request turned out to be."""
Finder = Callable[[Request, Found], Awaitable[Any]]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""Requests of which no route reads a body."""
_BESIDES = (
    "header_params",
    "cookie_params",
    "body_params",
    "websocket_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
    "concurrency",
)
"""What a route or dependency may ask for besides the request, other dependencies, path and query."""

_DECLARED = tuple(
    name for name in signature(APIRouter.add_api_route).parameters if name in signature(APIRoute).parameters
)[2:]
"""All that can be declared of a route besides its path and endpoint."""


def add_routes(app: FastAPI, router: APIRouter) -> None:
    """Every route of ``router`` as one of the application's own.

    Of a router that is included, FastAPI tries the routes twice at every request.
    """
    for route in router.routes:
        if isinstance(route, APIRoute):
            declared = {name: getattr(route, name) for name in _DECLARED}
            app.router.add_api_route(route.path, route.endpoint, route_class_override=Route, **declared)
        else:
            app.router.routes.append(route)


class LiveResponse(Response):
    """The ``response_class`` of a route that tells of events as they happen, without end."""


def answer_head(app: FastAPI) -> None:
    """Every route that is asked by GET, by HEAD too: the server leaves the body out. Not :class:`LiveResponse`.

    They are tried last, so that nothing else is matched any slower, and are not documented.
    """
    for route in app.routes[:]:
        if isinstance(route, Route) and "GET" in (route.methods or ()) and not _is_live(route):
            by_head = copy(route)
            by_head.methods, by_head.include_in_schema = {"HEAD"}, False
            app.router.routes.append(by_head)


def _is_live(route: APIRoute) -> bool:
    return isclass(route.response_class) and issubclass(route.response_class, LiveResponse)


class Route(APIRoute):
    """A route that returns a :class:`Response` is called with what it declares: first its dependencies, so that 401
    comes before 422, then what stands in path and query. One that declares more than that is FastAPI's.

    ``max_body_size`` is declared as FastAPI has it, and held to here: FastAPI's own limit puts a plain text in the
    place of every answer, 401 too, to a request that announces more.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, max_body_size: int | None = None, **declared: Any
    ) -> None:
        super().__init__(path, endpoint, **declared)
        self.straight = _straight(self.dependant, endpoint)
        if self.straight is not None:
            self.app = self._called
        if not _BODILESS.issuperset(self.methods or ()):
            self.app = _bounded(self.app, MAX_BODY_BYTES if max_body_size is None else max_body_size)

    def get_route_handler(self) -> Handler:
        """FastAPI's, which reads the body first; what needs only the request, such as who asks, is found before."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler
        finders = [finder for sub in self.dependant.dependencies if (finder := _finder(sub))]

        async def admitted(request: Request) -> Response:
            found: Found = {}
            for finder in finders:
                await finder(request, found)
            return await handler(request)

        return admitted

    async def _called(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.straight is not None
        response = await self.straight(Request(scope, receive, send))
        await response(scope, receive, send)


def _bounded(app: ASGIApp, most: int) -> ASGIApp:
    """413 once more than ``most`` bytes of the body have been read."""

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        left = most

        async def receive_counting() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"The body of this request may have {most} bytes at most.")
            return message

        await app(scope, receive_counting, send)

    return bounded


def _straight(declared: Dependant, endpoint: Callable[..., Any]) -> Handler | None:
    """The call of a route; None where it is FastAPI's."""
    finders = [(sub.name, _finder(sub)) for sub in declared.dependencies]
    known = [(name, finder) for name, finder in finders if finder]
    if _asks_more(declared) or len(known) < len(finders) or not _makes_response(endpoint):
        return None
    asking, parameters = _asking(declared), _parameters(declared)

    async def call(request: Request) -> Response:
        found: Found = {}
        values = dict.fromkeys(asking, cast("Any", request))
        for name, finder in known:
            value = await finder(request, found)
            if name is not None:
                values[name] = value
        return await endpoint(**values, **parameters(request))

    return call


def _finder(dependant: Dependant) -> Finder | None:
    """Finds a dependency once a request; None where it needs more than the request, or is no coroutine."""
    call = dependant.call
    inner = [(sub.name, _finder(sub)) for sub in dependant.dependencies]
    known = [(name, finder) for name, finder in inner if name and finder]
    needs_more = _asks_more(dependant) or dependant.path_params or dependant.query_params or not dependant.use_cache
    if needs_more or len(known) < len(inner) or call is None or not _is_coroutine(call):
        return None
    asking = _asking(dependant)

    async def find(request: Request, found: Found) -> Any:
        if call not in found:
            values = dict.fromkeys(asking, cast("Any", request))
            for name, finder in known:
                values[name] = await finder(request, found)
            found[call] = await call(**values)
        return found[call]

    return find


def _parameters(declared: Dependant) -> Callable[[Request], Values]:
    """Reads path and query, or raises ``RequestValidationError`` for all that is wrong with them."""
    model = _query_model(declared)

    def read(request: Request) -> Values:
        values, problems = request_params_to_args(declared.path_params, request.path_params)
        if model is not None:
            queried, wrong = _validated(declared.query_params[0].name, model, request.query_params)
        elif declared.query_params:
            queried, wrong = request_params_to_args(declared.query_params, request.query_params)
        else:
            queried, wrong = Values(), list[Any]()
        if problems or wrong:
            raise RequestValidationError([*problems, *wrong])
        return values | queried

    return read


def _validated(name: str, model: type[BaseModel], query: Mapping[str, str]) -> tuple[Values, list[Any]]:
    try:
        return {name: model.model_validate(dict(query.items()))}, []
    except ValidationError as error:
        return {}, [{**problem, "loc": ("query", *problem["loc"])} for problem in error.errors(include_url=False)]


def _query_model(dependant: Dependant) -> type[BaseModel] | None:
    """The model of the whole query, if there is one; not where a field is a list, for which parameters are repeated."""
    if len(dependant.query_params) != 1:
        return None
    model = dependant.query_params[0].field_info.annotation
    if not isclass(model) or not issubclass(model, BaseModel):
        return None
    return None if any(_is_list(field.annotation) for field in model.model_fields.values()) else model


def _is_list(annotation: Any) -> bool:
    kind = get_origin(annotation) or annotation
    if isclass(kind) and issubclass(kind, (Sequence, Set)) and not issubclass(kind, (str, bytes)):
        return True
    return any(_is_list(part) for part in get_args(annotation))


def _asks_more(dependant: Dependant) -> bool:
    return any(getattr(dependant, name) for name in _BESIDES)


def _asking(dependant: Dependant) -> list[str]:
    """The parameters that are the request itself."""
    return [name for name in (dependant.request_param_name, dependant.http_connection_param_name) if name]


def _is_coroutine(call: Callable[..., Any]) -> bool:
    return iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)


def _makes_response(endpoint: Callable[..., Any]) -> bool:
    made = signature(endpoint).return_annotation
    return iscoroutinefunction(endpoint) and isclass(made) and issubclass(made, Response)
