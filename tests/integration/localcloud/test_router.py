"""The router between real sockets: routing, streaming both ways, early answers, broken and missing backends."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import psutil
import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from localcloud.router import SEARCHED, Backend, Route, Router
from tests.integration.localcloud.programs import ready_when_listening, running
from tests.ports import free_port

MIB = 1024 * 1024


@dataclass
class Service:
    """A backend that says what it was asked, and plays the parts tests need."""

    name: str
    release: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope["path"])
        part = getattr(self, scope["path"].rpartition("/")[2].replace("-", "_"), self.echo)
        await part(scope, receive, send)

    async def echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        digest, size, more = hashlib.sha256(), 0, True
        while more:
            message = await receive()
            digest.update(message["body"])
            size += len(message["body"])
            more = message["more_body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        about = {"service": self.name, "method": scope["method"], "raw_path": scope["raw_path"].decode()}
        about |= {"query": scope["query_string"].decode(), "headers": headers}
        await answer(send, 200, json.dumps({**about, "size": size, "sha256": digest.hexdigest()}).encode())

    async def refuse_early(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await answer(send, 413, b"too large")

    async def refuse_unread(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 401, b"who are you")

    async def events(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, [(b"content-type", b"text/event-stream")]))
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await self.release.wait()
        await send({"type": "http.response.body", "body": b"data: 2\n\n", "more_body": False})

    async def until_client_leaves(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, []))
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.release.set()

    async def big(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, [(b"content-length", str(64 * MIB).encode())]))
        for _ in range(64):
            await send({"type": "http.response.body", "body": b"b" * MIB, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def not_modified(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(304, [(b"etag", b'"1"')]))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


async def answer(send: Send, status: int, body: bytes) -> None:
    await send(start(status, [(b"content-length", str(len(body)).encode())]))
    await send({"type": "http.response.body", "body": body, "more_body": False})


@asynccontextmanager
async def served(app: object) -> AsyncIterator[int]:
    """``app`` on a port of its own."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield port
    finally:
        server.should_exit = True
        await task


@dataclass
class Stage:
    """A router in front of two services."""

    port: int
    gateway: Service
    search: Service
    client: httpx2.AsyncClient


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    gateway, search = Service("gateway"), Service("search")
    async with served(gateway) as first, served(search) as second:
        search_routes = (Route(prefix, Backend("search", second), suffix) for prefix, suffix in SEARCHED)
        routes = (*search_routes, Route("", Backend("gateway", first)))
        async with served(Router(routes)) as port:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                yield Stage(port, gateway, search, client)
            gateway.release.set()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/v1/search", "search"),
        ("/api/v1/search/history", "search"),
        ("/api/v1/searching", "search"),
        ("/api/v1/feedback", "search"),
        ("/api/v1/file/upl_x/similar", "search"),
        ("/api/v1/file/upl_x/metadata", "gateway"),
        ("/api/v1/ws", "gateway"),
        ("/api/v1/upload", "gateway"),
        ("/", "gateway"),
        ("/x/api/v1/search", "gateway"),
    ],
)
async def test_routes_by_path(stage: Stage, path: str, service: str) -> None:
    assert (await stage.client.get(path)).json()["service"] == service


async def test_one_connection_is_routed_request_by_request(stage: Stage) -> None:
    async with connected(stage.port) as (reader, writer):
        for path, service in (("/a", "gateway"), ("/api/v1/search", "search"), ("/b", "gateway")):
            writer.write(f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            assert (body["service"], body["size"]) == (service, 3)


async def test_paths_queries_and_headers_arrive_as_sent(stage: Stage) -> None:
    path = "/a%2Fb/%E4%B8%AD?q=%20x&q=y"
    headers = {"X-API-Key": "k", "traceparent": "00-1-2-01", "X-Forwarded-For": "6.6.6.6", "Connection": "keep-alive"}
    about = (await stage.client.get(path, headers=headers)).json()
    assert about["raw_path"] == "/a%2Fb/%E4%B8%AD"
    assert about["query"] == "q=%20x&q=y"
    assert about["headers"]["x-api-key"] == "k"
    assert about["headers"]["traceparent"] == "00-1-2-01"
    assert about["headers"]["host"] == f"127.0.0.1:{stage.port}"
    assert about["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert about["headers"]["x-forwarded-proto"] == "http"
    assert about["headers"]["x-forwarded-host"] == f"127.0.0.1:{stage.port}"


@pytest.mark.parametrize("chunked", [True, False])
async def test_bodies_arrive_whole(stage: Stage, chunked: bool) -> None:
    body = bytes(range(256)) * 4096 * 5

    async def pieces() -> AsyncIterator[bytes]:
        for offset in range(0, len(body), 100_001):
            yield body[offset : offset + 100_001]

    about = (await stage.client.post("/x", content=pieces() if chunked else body)).json()
    assert about["sha256"] == hashlib.sha256(body).hexdigest()
    assert ("transfer-encoding" in about["headers"]) == chunked


async def test_methods_without_bodies(stage: Stage) -> None:
    head = await stage.client.head("/x")
    assert head.status_code == 200
    assert int(head.headers["content-length"]) > 0
    assert (await stage.client.delete("/x")).json()["method"] == "DELETE"
    not_modified = await stage.client.get("/not-modified")
    assert (not_modified.status_code, not_modified.headers["etag"], not_modified.content) == (304, '"1"', b"")


async def test_an_answer_may_come_before_the_body_has_ended(stage: Stage) -> None:
    async with connected(stage.port) as (reader, writer):
        writer.write(b"POST /refuse-early HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nonly this")
        assert b" 413 " in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(9) == b"too large"


async def test_a_backend_is_not_asked_to_close(stage: Stage) -> None:
    """One that closes with a part of the body unread resets the connection, and now and then its answer is lost."""
    asked = await stage.client.post("/x", content=b"abc", headers={"Connection": "close"})
    assert "connection" not in asked.json()["headers"]
    refused = await stage.client.post("/refuse-unread", content=bytes(20 * MIB))
    assert (refused.status_code, refused.content) == (401, b"who are you")


async def test_expect_100_continue_is_the_backends_to_grant(stage: Stage) -> None:
    ask = b"HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    async with connected(stage.port) as (reader, writer):
        writer.write(b"POST /x " + ask)
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"abc")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    async with connected(stage.port) as (reader, writer):
        writer.write(b"POST /refuse-unread " + ask)
        assert b" 401 " in await reader.readuntil(b"\r\n\r\n")


async def test_events_flow_one_by_one(stage: Stage) -> None:
    async with stage.client.stream("GET", "/events") as response:
        received = response.aiter_bytes()
        assert await anext(received) == b"data: 1\n\n"
        stage.gateway.release.set()
        assert await anext(received) == b"data: 2\n\n"


async def test_the_backend_hears_that_the_client_left(stage: Stage) -> None:
    async with connected(stage.port) as (reader, writer):
        writer.write(b"GET /until-client-leaves HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readuntil(b"x\r\n")
    await asyncio.wait_for(stage.gateway.release.wait(), 30)


async def test_a_missing_backend_is_an_answer_in_the_envelope() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    async with client_of(free_port()) as client:
        response = await client.get("/api/v1/search", headers=headers)
    body = response.json()
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert body["error"]["code"] == "unavailable"
    assert body["error"]["details"] == {"service": "search"}
    assert (body["status"], body["data"], body["trace_id"]) == ("error", None, trace)
    assert set(body) == {"status", "data", "error", "meta", "trace_id", "timestamp"}


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"SSH-2.0-nonsense\r\n"])
async def test_a_backend_that_breaks_off_before_its_answer_is_502(said: bytes) -> None:
    async with broken_backend(said) as backend, client_of(backend) as client:
        response = await client.get("/")
    assert (response.status_code, response.json()["error"]["code"]) == (502, "bad_gateway")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf",
    ],
)
async def test_an_answer_cut_short_is_cut_short_for_the_client_too(said: bytes) -> None:
    async with broken_backend(said) as backend, client_of(backend) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get("/")


async def test_an_answer_that_ends_by_closing_is_whole() -> None:
    said = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it"
    async with broken_backend(said) as backend, client_of(backend) as client:
        assert (await client.get("/")).text == "all of it"


async def test_big_bodies_pass_through_without_staying_in_memory(stage: Stage) -> None:
    """In a process of its own: 192 MiB up and 64 MiB down may not make it grow by a fraction of that."""
    backends = httpx2.URL(str(stage.client.base_url)).port
    port = free_port()
    arguments = ("--port", port, "--gateway-port", backends, "--search-port", backends)
    with running("localcloud.router", *arguments) as router:
        await ready_when_listening(port)
        process = psutil.Process(router.pid)
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            await client.get("/warm")
            before = process.memory_info().rss

            async def pieces() -> AsyncIterator[bytes]:
                for _ in range(192):
                    yield b"a" * MIB

            assert (await client.post("/x", content=pieces())).json()["size"] == 192 * MIB
            async with client.stream("GET", "/big") as response:
                assert sum([len(chunk) async for chunk in response.aiter_bytes()]) == 64 * MIB
        assert process.memory_info().rss - before < 24 * MIB


@asynccontextmanager
async def client_of(backend: int) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a router that sends everything to one backend, called search."""
    async with (
        served(Router((Route("", Backend("search", backend)),))) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


@asynccontextmanager
async def broken_backend(said: bytes) -> AsyncIterator[int]:
    """Says those bytes to whoever connects, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
